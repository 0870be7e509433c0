#include "proofs/explorer/src/memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <iterator>
#include <new>

namespace quiesce::explorer::detail {

namespace {

constexpr std::size_t region_bytes =
    address_space::max_threads * (address_space::stack_bytes + address_space::heap_bytes);

// The same addresses in every process, where they are free, so that traces are the same.
void* const usual_base = reinterpret_cast<void*>(std::uintptr_t{0x510000000000});

// Pages come into being when they are touched.
void* reserve(std::size_t bytes, void* wanted) {
    void* const memory =
        ::mmap(wanted, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        throw std::bad_alloc();
    }
    return memory;
}

}  // namespace

address_space::address_space()
    : base_(static_cast<char*>(reserve(region_bytes, usual_base))),
      numbers_(static_cast<std::uint32_t*>(reserve(region_bytes * sizeof(std::uint32_t), nullptr))) {}

address_space::~address_space() {
    ::munmap(base_, region_bytes);
    ::munmap(numbers_, region_bytes * sizeof(std::uint32_t));
}

void* address_space::allocate(unsigned thread, std::size_t bytes, std::size_t alignment) {
    std::size_t& used = used_[thread];
    const std::size_t at = (used + alignment - 1) / alignment * alignment;
    if (alignment > heap_bytes || at > heap_bytes || bytes > heap_bytes - at) {
        return nullptr;
    }
    used = at + std::max<std::size_t>(bytes, 1);
    return base_ + max_threads * stack_bytes + thread * heap_bytes + at;
}

void address_space::reset() {
    std::fill(std::begin(used_), std::end(used_), 0);
}

}  // namespace quiesce::explorer::detail
