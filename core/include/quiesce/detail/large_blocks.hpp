// Large blocks: memory in whole pages, each block mapped for itself.
//
// What is known of a block does not lie in it or beside it, so that the block is all the user's, and so that an address
// is told apart from that of an object of a cache without looking at what lies there.
//
// Source: vmalloc of the Linux kernel; Rezki, 2020, on headless kvfree_rcu, where the two kinds of memory need two
// channels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>

#include "quiesce/detail/address_table.hpp"
#include "quiesce/detail/free_block.hpp"
#include "quiesce/platform.hpp"

namespace quiesce {

/// The large blocks of a domain that are allocated, those in flight included.
struct large_usage {
    std::uint64_t blocks = 0;
    std::uint64_t bytes = 0;
};

namespace detail {

template <class P>
struct large_block {
    void* const memory;
    /// What is mapped.
    const std::size_t bytes;
    large_block* next_by_address = nullptr;

    const void* address() const { return memory; }
};

template <class P>
class large_blocks {
public:
    large_blocks() = default;
    large_blocks(const large_blocks&) = delete;
    large_blocks& operator=(const large_blocks&) = delete;
    /// What is still allocated stays mapped, and is known no more.
    ~large_blocks() {
        table_.for_each([](block& b) { forget(b); });
    }

    /// Null when there is no memory.
    void* allocate(std::size_t bytes) {
        const std::size_t page = P::limits().page_bytes;
        if (bytes > std::size_t(-1) - page) {
            return nullptr;
        }
        const std::size_t mapped = bytes == 0 ? page : (bytes + page - 1) & ~(page - 1);
        void* const known = P::allocate(sizeof(block), alignof(block));
        if (known == nullptr) {
            return nullptr;
        }
        void* const memory = P::map(mapped);
        if (memory == nullptr) {
            P::deallocate(known, sizeof(block), alignof(block));
            return nullptr;
        }
        table_.insert(::new (known) block{memory, mapped});
        return memory;
    }

    /// Whether a block that is allocated begins there.
    bool has(const void* address) { return may_begin_at(address) && table_.find(address) != nullptr; }

    /// Needs no memory. What is no block of this is misuse, and left alone.
    void free(void* memory, std::string_view call) {
        block* const b = may_begin_at(memory) ? table_.take(memory) : nullptr;
        if (b == nullptr) {
            P::report({misuse::free_of_unknown_address, call, memory});
            return;
        }
        P::unmap(b->memory, b->bytes);
        forget(*b);
    }

    /// Frees what a block of the channel holds.
    void free_all(deferred_object<P>* first, const deferred_object<P>* last) {
        for (; first != last; ++first) {
            free(first->object.get(), "free_rcu");
        }
    }

    large_usage usage() {
        large_usage u;
        table_.for_each([&u](const block& b) {
            ++u.blocks;
            u.bytes += b.bytes;
        });
        return u;
    }

    // Around a fork.
    void before_fork() { table_.before_fork(); }
    void after_fork() { table_.after_fork(); }

private:
    using block = large_block<P>;

    static void forget(block& b) {
        b.~block();
        P::deallocate(&b, sizeof(block), alignof(block));
    }

    static bool may_begin_at(const void* address) {
        return (reinterpret_cast<std::uintptr_t>(address) & (P::limits().page_bytes - 1)) == 0;
    }

    address_table<P, block> table_;
};

}  // namespace detail
}  // namespace quiesce
