// A block of pointers to objects that wait for a grace period.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include "quiesce/detail/fifo_list.hpp"
#include "quiesce/platform.hpp"

namespace quiesce {

/// Frees an object that was deferred by its address alone. Runs on the driver, outside every lock; must not throw.
using free_function = void (*)(void* object);

namespace detail {

template <class P>
struct deferred_object {
    typename P::template plain<void*> object{nullptr};
    typename P::template plain<free_function> free{nullptr};
};

/// Room for a fixed number of objects, in memory of its own. Belongs to the thread that fills it, then to the shard
/// that it was handed to.
template <class P>
struct alignas(64) free_block {
    typename P::template plain<free_block*> next{nullptr};
    /// How many objects there are; set when the block is handed over.
    unsigned count = 0;
    /// The barrier phase in which it was handed over.
    unsigned phase = 0;
    /// The grace period that must be over.
    std::uint64_t cookie = 0;

    deferred_object<P>* begin() { return std::launder(reinterpret_cast<deferred_object<P>*>(this + 1)); }

    /// Null when there is no memory.
    static free_block* create(unsigned entries) {
        void* const memory = P::allocate(bytes(entries), alignof(free_block));
        if (memory == nullptr) {
            return nullptr;
        }
        auto* const block = ::new (memory) free_block();
        for (unsigned i = 0; i != entries; ++i) {
            ::new (static_cast<void*>(reinterpret_cast<deferred_object<P>*>(block + 1) + i)) deferred_object<P>();
        }
        return block;
    }

    static void destroy(free_block* block, unsigned entries) {
        deferred_object<P>* const objects = block->begin();
        for (unsigned i = 0; i != entries; ++i) {
            objects[i].~deferred_object<P>();
        }
        block->~free_block();
        P::deallocate(block, bytes(entries), alignof(free_block));
    }

private:
    static constexpr std::size_t bytes(unsigned entries) {
        return sizeof(free_block) + entries * sizeof(deferred_object<P>);
    }
};

template <class P>
using block_list = fifo_list<free_block<P>>;

}  // namespace detail
}  // namespace quiesce
