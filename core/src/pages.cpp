// Memory in whole pages, from the system.
#include <sys/mman.h>

#include "quiesce/native_platform.hpp"

namespace quiesce {

void* native::map_pages(std::size_t bytes) noexcept {
    void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? nullptr : memory;
}

void native::unmap_pages(void* memory, std::size_t bytes) noexcept {
    // It fails only where it would split a mapping and there are too many: then the pages stay, empty.
    if (::munmap(memory, bytes) != 0) {
        (void)::madvise(memory, bytes, MADV_DONTNEED);
    }
}

}  // namespace quiesce
