// What one thread keeps for itself in a domain: the objects that it has deferred, and free objects of caches.
//
// One gate guards all of it, so that a thread that frees into a cache passes one gate, and the memory of the gate
// outlives every cache.
#pragma once

#include <cstdint>
#include <new>

#include "quiesce/detail/free_block.hpp"
#include "quiesce/detail/magazine.hpp"
#include "quiesce/detail/owner_gate.hpp"
#include "quiesce/platform.hpp"
#include "quiesce/rcu_head.hpp"

namespace quiesce::detail {

/// The block that a thread fills. Belongs to whoever is inside the thread's gate.
template <class P>
struct block_array {
    /// The next free entry of the block, and its end; equal when the block is full or missing.
    typename P::template plain<deferred_object<P>*> position{nullptr};
    deferred_object<P>* end = nullptr;
    free_block<P>* block = nullptr;

    block_array() { P::name(position, "array.position"); }

    bool full() const { return position.get() == end; }
    bool empty() const { return block == nullptr || position.get() == block->begin(); }

    void install(free_block<P>* empty, unsigned entries) {
        block = empty;
        position.set(empty == nullptr ? nullptr : empty->begin());
        end = empty == nullptr ? nullptr : empty->begin() + entries;
    }

    /// The block with its number of objects, which the array no longer holds; null when there is none.
    free_block<P>* detach() {
        free_block<P>* const held = block;
        deferred_object<P>* const filled = position.get();
        if (held != nullptr) {
            held->count = static_cast<unsigned>(filled - held->begin());
        }
        install(nullptr, 0);
        return held;
    }

    void append(void* object, free_function free) {
        deferred_object<P>* const at = position.get();
        at->object.set(object);
        at->free.set(free);
        position.set(at + 1);
    }
};

/// All but the gate, `announced` and `owned` belongs to whoever is inside the gate.
template <class P>
struct alignas(64) thread_arrays {
    owner_gate<P> gate;
    /// The caches' slots, by index. Replaced by the owner alone. With the gate and the first array in one cache line.
    cache_slot<P>* slots = nullptr;
    unsigned slot_count = 0;
    block_array<P> arrays[channel_count];
    head_list<P> heads;
    typename P::template plain<unsigned> heads_count{0};
    /// The owner's own: whether the monitor has been told of the record.
    typename P::template plain<bool> announced{false};
    /// Non-zero while a thread owns the record.
    typename P::template atomic<std::uint32_t> owned{P::thread_id()};
    /// Written before the record is published.
    typename P::template plain<thread_arrays*> next{nullptr};

    thread_arrays() { P::name(heads_count, "array.heads_count"); }
    thread_arrays(const thread_arrays&) = delete;
    thread_arrays& operator=(const thread_arrays&) = delete;
    /// The slots are empty.
    ~thread_arrays() { free_slots(slots, slot_count); }

    block_array<P>& array(channel c) { return arrays[static_cast<unsigned>(block_of<P>(c))]; }

    bool nothing_deferred() const {
        bool none = true;
        for (const block_array<P>& a : arrays) {
            none = none && a.empty();
        }
        return none && heads_count.get() == 0;
    }

    /// The slot for the cache; null when the thread keeps none.
    cache_slot<P>* slot_of(cache_core<P>& cache, unsigned index) {
        if (index < slot_count && slots[index].cache.get() == &cache) [[likely]] {
            return &slots[index];
        }
        return nullptr;
    }

    /// Room for the slot with that index. For the owner, outside the gate. Returns false when there is no memory, or a
    /// flusher is at work.
    bool reserve(unsigned index) {
        if (index < slot_count) {
            return true;
        }
        unsigned larger = slot_count == 0 ? 4 : slot_count;
        while (larger <= index) {
            larger *= 2;
        }
        auto* const fresh =
            static_cast<cache_slot<P>*>(P::allocate(sizeof(cache_slot<P>) * larger, alignof(cache_slot<P>)));
        if (fresh == nullptr) {
            return false;
        }
        for (unsigned i = 0; i != larger; ++i) {
            ::new (static_cast<void*>(fresh + i)) cache_slot<P>();
        }
        if (!gate.enter()) {
            free_slots(fresh, larger);
            return false;
        }
        cache_slot<P>* unused = fresh;
        unsigned unused_count = larger;
        // Otherwise the allocation itself made room.
        if (slot_count < larger) {
            for (unsigned i = 0; i != slot_count; ++i) {
                fresh[i].take(slots[i]);
            }
            unused = slots;
            unused_count = slot_count;
            slots = fresh;
            slot_count = larger;
        }
        gate.leave();
        free_slots(unused, unused_count);
        return true;
    }

private:
    static void free_slots(cache_slot<P>* s, unsigned count) {
        if (s != nullptr) {
            for (unsigned i = 0; i != count; ++i) {
                s[i].~cache_slot<P>();
            }
            P::deallocate(s, sizeof(cache_slot<P>) * count, alignof(cache_slot<P>));
        }
    }
};

}  // namespace quiesce::detail
