// The memory of the programs that are explored: at the same addresses in every execution.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace quiesce::explorer::detail {

/// One region of address space: a stack and a heap for each thread, and numbers for the locations in them.
class address_space {
public:
    static constexpr unsigned max_threads = 64;
    static constexpr std::size_t stack_bytes = 256 * std::size_t{1024};
    static constexpr std::size_t heap_bytes = 1024 * std::size_t{1024};
    static constexpr std::size_t page_bytes = 4096;

    struct block {
        std::uint32_t begins;
        std::uint32_t bytes;
        bool freed;
        /// Not the program's: nobody gives it back.
        bool internal;
    };

    /// With `guards` each object has pages of its own, which nobody can use when it was freed. Throws std::bad_alloc.
    explicit address_space(bool guards);
    ~address_space();
    address_space(const address_space&) = delete;
    address_space& operator=(const address_space&) = delete;

    void* stack_top(unsigned thread) const { return base_ + (thread + std::size_t{1}) * stack_bytes; }
    bool contains(const void* address) const { return address >= base_ && address < base_ + region_bytes; }
    /// The thread below whose stack the address is, or -1.
    int overflown_stack(const void* address) const;
    /// Makes the page below a thread's stack, on which it must not grow, unusable.
    void guard_stack(unsigned thread);

    /// The number of the location at an address, from 0 on; the same for as long as the exploration lasts. Beside it
    /// there is another one, for the threads that wait at it.
    std::uint32_t location_at(const void* address, bool waiters = false) {
        return contains(address) ? location_inside(address, waiters)
                                 : number_of(outside_[{address, waiters}], address, waiters);
    }
    /// The same for who knows that the address is of the region.
    std::uint32_t location_inside(const void* address, bool waiters) {
        return number_of(
            numbers_[(static_cast<const char*>(address) - base_) * 2 + static_cast<std::ptrdiff_t>(waiters)], address,
            waiters);
    }
    std::uintptr_t address_of(std::uint32_t location) const { return locations_[location].address; }
    /// The same wherever the region is. Outside of it nothing is the same in every process.
    std::uint64_t offset_of(std::uint32_t location) const {
        const std::uint64_t offset = locations_[location].address - reinterpret_cast<std::uintptr_t>(base_);
        return offset < region_bytes ? offset : 0;
    }
    bool is_waiters(std::uint32_t location) const { return locations_[location].waiters; }
    std::uint32_t locations() const { return static_cast<std::uint32_t>(locations_.size()); }

    /// Null when the thread's heap is used up.
    void* allocate(unsigned thread, std::size_t bytes, std::size_t alignment, bool internal);
    /// The object in a heap that the address is in, or null. What the execution has not allocated yet is in none.
    block* block_at(const void* address) {
        const auto offset = static_cast<std::size_t>(static_cast<const char*>(address) - heap(0));
        heap_state& of = heaps_[offset / heap_bytes];
        // Mostly the same again.
        block* const last = of.blocks.data() + of.last_found;
        return last < std::to_address(of.blocks.end()) && offset - last->begins < last->bytes ? last
                                                                                              : find_block(of, offset);
    }
    bool is_heap(const void* address) const { return address >= heap(0) && contains(address); }
    void* address_of(const block& b) const { return heap(0) + b.begins; }
    /// Whether a word may have been read from memory that was released, or be an address near such a pointer.
    static bool is_poison(std::uint64_t word) { return word - poisoned_word + page_bytes < 2 * page_bytes; }
    /// The block is the program's no more: its contents are overwritten, or become unusable.
    void release(block& b);
    /// Of all threads, those that the program did not give back.
    std::vector<const block*> unreleased() const;
    /// Every heap is empty again.
    void reset();

private:
    static constexpr std::uint64_t poisoned_word = 0xdbdbdbdbdbdbdbdb;
    static constexpr std::size_t region_bytes = max_threads * (stack_bytes + heap_bytes);

    struct cell {
        std::uintptr_t address;
        bool waiters;
    };
    struct heap_state {
        std::size_t used = 0;
        /// In ascending order.
        std::vector<block> blocks;
        std::size_t last_found = 0;
    };

    static block* find_block(heap_state& of, std::size_t offset);

    std::uint32_t number_of(std::uint32_t& number, const void* address, bool waiters) {
        if (number == 0) {
            locations_.push_back({reinterpret_cast<std::uintptr_t>(address), waiters});
            number = static_cast<std::uint32_t>(locations_.size());
        }
        return number - 1;
    }
    char* heap(unsigned thread) const { return base_ + max_threads * stack_bytes + thread * heap_bytes; }
    void protect(const block& b, int protection) const;

    char* base_ = nullptr;
    std::uint32_t* numbers_ = nullptr;
    const bool guards_;
    /// Of what is not in the region.
    std::map<std::pair<const void*, bool>, std::uint32_t> outside_;
    std::vector<cell> locations_;
    /// Those that are the program's to give back.
    unsigned unreleased_ = 0;
    unsigned threads_ = 0;
    heap_state heaps_[max_threads];
    std::uint64_t guarded_stacks_ = 0;
};

}  // namespace quiesce::explorer::detail
