// operator new and delete: what the explored program allocates comes from its own memory, at the same addresses in
// every execution, and is forgotten with the execution, since threads that are abandoned are never unwound.
#include <cstdlib>
#include <new>

#include "proofs/explorer/src/engine.hpp"

namespace {

using quiesce::explorer::detail::engine;

void* allocate(std::size_t bytes, std::size_t alignment) noexcept {
    if (engine::runs_program) {
        engine::runs_program = false;
        void* const memory = engine::current->allocate(bytes, alignment);
        engine::runs_program = true;
        return memory;
    }
    return alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__
               ? std::malloc(bytes == 0 ? 1 : bytes)
               : std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

void* allocate_or_throw(std::size_t bytes, std::size_t alignment) {
    for (;;) {
        if (void* const memory = allocate(bytes, alignment); memory != nullptr) {
            return memory;
        }
        const std::new_handler handler = std::get_new_handler();
        if (handler == nullptr) {
            throw std::bad_alloc();
        }
        handler();
    }
}

void release(void* memory) noexcept {
    if (engine::current == nullptr || !engine::current->owns(memory)) {
        std::free(memory);
    } else if (engine::runs_program) {
        engine::runs_program = false;
        engine::current->release(memory);
        engine::runs_program = true;
    }
}

}  // namespace

void* operator new(std::size_t bytes) {
    return allocate_or_throw(bytes, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return allocate_or_throw(bytes, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
    return allocate(bytes, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    return allocate(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
    release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    release(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    release(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    release(memory);
}
