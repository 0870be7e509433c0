// A block of pointers to objects that wait for a grace period.
//
// A block belongs to one channel, and is given to one allocator in one go when its grace period is over. So what comes
// from different allocators never shares a block.
//
// Source: struct kvfree_rcu_bulk_data of the Linux kernel, mm/slab_common.c; Rezki, 2020, on headless kvfree_rcu.
#pragma once

#include <cstdint>

#include "quiesce/detail/fifo_list.hpp"
#include "quiesce/detail/trailing_array.hpp"
#include "quiesce/platform.hpp"

namespace quiesce {

/// Frees an object that was deferred by its address alone. Runs on the driver, outside every lock; must not throw.
using free_function = void (*)(void* object);

namespace detail {

/// Whose objects a block holds.
enum class channel : std::uint8_t {
    small,  ///< objects of caches, and what has a function of its own that frees it
    large,  ///< large blocks
};
inline constexpr unsigned channel_count = 2;

/// The channel whose block an object goes to.
template <class P>
constexpr channel block_of(channel c) {
    return P::seeded(defect::channels_share_blocks) ? channel::large : c;
}

template <class P>
struct deferred_object {
    typename P::template plain<void*> object{nullptr};
    /// Null for an object that its channel's allocator frees.
    typename P::template plain<free_function> free{nullptr};
};

/// Room for a fixed number of objects. Belongs to the thread that fills it, then to the shard that it was handed to.
template <class P>
struct alignas(64) free_block : trailing_array<P, free_block<P>, deferred_object<P>> {
    typename P::template plain<free_block*> next{nullptr};
    /// How many objects there are; set when the block is handed over.
    unsigned count = 0;
    /// The barrier phase in which it was handed over.
    unsigned phase = 0;
    channel kind = channel::small;
    /// The grace period that must be over.
    std::uint64_t cookie = 0;
};

template <class P>
using block_list = fifo_list<free_block<P>>;

}  // namespace detail
}  // namespace quiesce
