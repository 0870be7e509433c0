#include "tsan_tests/refused_memory.hpp"

#include <cstddef>
#include <cstdlib>

namespace quiesce::tests {

constinit thread_local refused refuse = refused::nothing;
constinit thread_local unsigned allocations_before = 0;
constinit thread_local unsigned refusals = 0;

}  // namespace quiesce::tests

namespace {

using namespace quiesce::tests;

bool is_refused(std::size_t bytes, bool throwing) noexcept {
    bool now = false;
    switch (refuse) {
        case refused::nothing: break;
        case refused::threads: now = throwing; break;
        case refused::blocks: now = bytes > 1024; break;
        case refused::one: now = allocations_before-- == 0; break;
        case refused::everything: now = true; break;
    }
    refusals += now ? 1 : 0;
    return now;
}

void* allocate(std::size_t bytes, std::size_t alignment) noexcept {
    return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

}  // namespace

// Not inline, or the compiler takes what only one of a pair is inlined for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
    void* const memory = is_refused(bytes, true) ? nullptr : std::malloc(bytes);
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    return memory;
}
[[gnu::noinline]] void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
    return is_refused(bytes, false) ? nullptr : std::malloc(bytes);
}
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t alignment) {
    void* const memory = is_refused(bytes, true) ? nullptr : allocate(bytes, static_cast<std::size_t>(alignment));
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    return memory;
}
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    return is_refused(bytes, false) ? nullptr : allocate(bytes, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}
