// A block of pointers to objects that wait for a grace period.
#pragma once

#include <cstdint>

#include "quiesce/detail/fifo_list.hpp"
#include "quiesce/detail/trailing_array.hpp"
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

/// Room for a fixed number of objects. Belongs to the thread that fills it, then to the shard that it was handed to.
template <class P>
struct alignas(64) free_block : trailing_array<P, free_block<P>, deferred_object<P>> {
    typename P::template plain<free_block*> next{nullptr};
    /// How many objects there are; set when the block is handed over.
    unsigned count = 0;
    /// The barrier phase in which it was handed over.
    unsigned phase = 0;
    /// The grace period that must be over.
    std::uint64_t cookie = 0;
};

template <class P>
using block_list = fifo_list<free_block<P>>;

}  // namespace detail
}  // namespace quiesce
