// Memory that nobody may touch for a while: AddressSanitizer watches it, where it is there.
#include "quiesce/native_platform.hpp"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define QUIESCE_ADDRESS_SANITIZER
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define QUIESCE_ADDRESS_SANITIZER
#endif

#ifdef QUIESCE_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

namespace quiesce::native {

#ifdef QUIESCE_ADDRESS_SANITIZER
void guard(void* memory, std::size_t bytes) noexcept {
    __asan_poison_memory_region(memory, bytes);
}

void unguard(void* memory, std::size_t bytes) noexcept {
    __asan_unpoison_memory_region(memory, bytes);
}
#else
void guard(void*, std::size_t) noexcept {}

void unguard(void*, std::size_t) noexcept {}
#endif

}  // namespace quiesce::native
