// The memory of the programs that are explored: at the same addresses in every execution.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace quiesce::explorer::detail {

/// One region of address space: a stack and a heap for each thread, and a number for each location in them.
class address_space {
public:
    static constexpr unsigned max_threads = 64;
    static constexpr std::size_t stack_bytes = 256 * std::size_t{1024};
    static constexpr std::size_t heap_bytes = 256 * std::size_t{1024};

    /// Throws std::bad_alloc.
    address_space();
    ~address_space();
    address_space(const address_space&) = delete;
    address_space& operator=(const address_space&) = delete;

    void* stack_top(unsigned thread) const { return base_ + (thread + std::size_t{1}) * stack_bytes; }
    bool contains(const void* address) const {
        return address >= base_ && address < base_ + max_threads * (stack_bytes + heap_bytes);
    }

    /// The number of the location at an address of the region, from 0 on; the same for as long as the exploration
    /// lasts.
    std::uint32_t location_at(const void* address) {
        std::uint32_t& number = numbers_[static_cast<const char*>(address) - base_];
        if (number == 0) {
            addresses_.push_back(reinterpret_cast<std::uintptr_t>(address));
            number = static_cast<std::uint32_t>(addresses_.size());
        }
        return number - 1;
    }
    std::uintptr_t address_of(std::uint32_t location) const { return addresses_[location]; }
    std::uint32_t locations() const { return static_cast<std::uint32_t>(addresses_.size()); }

    /// Null when the thread's heap is used up.
    void* allocate(unsigned thread, std::size_t bytes, std::size_t alignment);
    /// Every heap is empty again.
    void reset();

private:
    char* base_ = nullptr;
    std::uint32_t* numbers_ = nullptr;
    std::vector<std::uintptr_t> addresses_;
    std::size_t used_[max_threads] = {};
};

}  // namespace quiesce::explorer::detail
