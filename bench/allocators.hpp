// The allocators that schemes are measured with.
//
// mimalloc and jemalloc as Debian builds them define malloc itself: linked, they would replace it for every library
// in the process. So they are loaded for those who ask, with local symbols, and called by address.
#pragma once

#include <cstddef>
#include <cstdlib>

namespace quiesce::bench {

struct system_malloc {
    static void load() {}
    static void* allocate(std::size_t size) { return std::malloc(size); }
    static void free(void* p) { std::free(p); }
};

/// The pair of functions of a shared library.
template <class Which>
class loaded_allocator {
public:
    /// Before the rest. Throws when the library cannot be loaded.
    static void load();
    static void* allocate(std::size_t size) { return allocate_(size); }
    static void free(void* p) { free_(p); }

private:
    static inline void* (*allocate_)(std::size_t) = nullptr;
    static inline void (*free_)(void*) = nullptr;
};

using mimalloc = loaded_allocator<struct mimalloc_tag>;
using jemalloc = loaded_allocator<struct jemalloc_tag>;

template <>
void mimalloc::load();
template <>
void jemalloc::load();

/// To be called before a process is started that loads allocators.
void make_room_for_loaded_allocators();

/// Writes to the object, as whoever allocates one does, and keeps the compiler from leaving out an object that nobody
/// reads.
inline void touch(void* object) {
    *static_cast<volatile unsigned char*>(object) = 1;
    asm volatile("" : : "r"(object) : "memory");
}

}  // namespace quiesce::bench
