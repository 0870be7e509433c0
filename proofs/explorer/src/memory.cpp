#include "proofs/explorer/src/memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <new>

namespace quiesce::explorer::detail {

namespace {

// The same addresses in every process, where they are free, so that traces are the same.
void* const usual_base = reinterpret_cast<void*>(std::uintptr_t{0x510000000000});

// Between two objects, so that what is used beyond the end of one is in none.
constexpr std::size_t gap_bytes = 16;
constexpr int fresh_byte = 0xcd;

// Pages come into being when they are touched.
void* reserve(std::size_t bytes, void* wanted) {
    void* const memory =
        ::mmap(wanted, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        throw std::bad_alloc();
    }
    return memory;
}

// To a power of two.
constexpr std::size_t rounded_up(std::size_t n, std::size_t to) {
    return (n + to - 1) & ~(to - 1);
}

}  // namespace

address_space::address_space(bool guards)
    : base_(static_cast<char*>(reserve(region_bytes, usual_base))),
      numbers_(static_cast<std::uint32_t*>(reserve(2 * region_bytes * sizeof(std::uint32_t), nullptr))),
      guards_(guards) {}

address_space::~address_space() {
    ::munmap(base_, region_bytes);
    ::munmap(numbers_, 2 * region_bytes * sizeof(std::uint32_t));
}

int address_space::overflown_stack(const void* address) const {
    if (address < base_ || address >= heap(0)) {
        return -1;
    }
    const auto offset = static_cast<std::size_t>(static_cast<const char*>(address) - base_);
    return offset % stack_bytes < page_bytes ? static_cast<int>(offset / stack_bytes) : -1;
}

void address_space::guard_stack(unsigned thread) {
    if ((guarded_stacks_ >> thread & 1U) == 0) {
        guarded_stacks_ |= std::uint64_t{1} << thread;
        // A stack that cannot be guarded is one that overflows unseen, no more.
        (void)::mprotect(base_ + thread * stack_bytes, page_bytes, PROT_NONE);
    }
}

void* address_space::allocate(unsigned thread, std::size_t bytes, std::size_t alignment, bool internal) {
    heap_state& own = heaps_[thread];
    threads_ = std::max(threads_, thread + 1);
    // As malloc does: whoever asks for nothing has an address of his own.
    bytes = std::max<std::size_t>(bytes, 1);
    std::size_t begins = rounded_up(own.used, alignment);
    std::size_t ends = begins + bytes + gap_bytes;
    if (guards_ && !internal) {
        begins = rounded_up(own.used, std::max(alignment, page_bytes));
        ends = rounded_up(begins + bytes, page_bytes);
    }
    if (alignment > heap_bytes || bytes > heap_bytes || ends > heap_bytes) {
        return nullptr;
    }
    own.used = ends;
    unreleased_ += internal ? 0U : 1U;
    const std::size_t offset = thread * heap_bytes + begins;
    own.blocks.push_back({static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(bytes), false, internal});
    // As it is in no execution by chance.
    std::memset(heap(0) + offset, fresh_byte, bytes);
    return heap(0) + offset;
}

address_space::block* address_space::find_block(heap_state& of, std::size_t offset) {
    const auto after = std::upper_bound(of.blocks.begin(), of.blocks.end(), offset,
                                        [](std::size_t wanted, const block& b) { return wanted < b.begins; });
    if (after == of.blocks.begin()) {
        return nullptr;
    }
    block& b = *std::prev(after);
    of.last_found = static_cast<std::size_t>(&b - of.blocks.data());
    return offset - b.begins < b.bytes ? &b : nullptr;
}

void address_space::release(block& b) {
    unreleased_ -= b.freed ? 0U : 1U;
    b.freed = true;
    if (guards_) {
        protect(b, PROT_NONE);
    } else {
        std::memset(address_of(b), static_cast<int>(poisoned_word & 0xff), b.bytes);
    }
}

std::vector<const address_space::block*> address_space::unreleased() const {
    std::vector<const block*> all;
    if (unreleased_ == 0) {
        return all;
    }
    for (const heap_state& of : heaps_) {
        for (const block& b : of.blocks) {
            if (!b.freed && !b.internal) {
                all.push_back(&b);
            }
        }
    }
    return all;
}

void address_space::protect(const block& b, int protection) const {
    (void)::mprotect(address_of(b), rounded_up(b.bytes, page_bytes), protection);
}

void address_space::reset() {
    unreleased_ = 0;
    for (; threads_ != 0; --threads_) {
        heap_state& of = heaps_[threads_ - 1];
        for (const block& b : of.blocks) {
            if (guards_ && b.freed) {
                protect(b, PROT_READ | PROT_WRITE);
            }
        }
        of.blocks.clear();
        of.used = 0;
    }
}

}  // namespace quiesce::explorer::detail
