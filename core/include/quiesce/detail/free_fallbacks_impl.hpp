// Definitions of deferred_frees: where blocks of addresses come from, and what happens where there are none.
//
// An address without a head needs a place in a block. The places are tried in this order: a spare block of the shard, a
// new one, one of the reserve, a wrapper for this address alone; then the caller waits for a grace period, or is told
// that it would have to. None of them touches the object.
//
// Source: Rezki, Fernandes, McKenney and Ts'o, 2020, on headless kvfree_rcu, where each of them is proposed.
#pragma once

#include <exception>

#include "quiesce/detail/deferred_frees.hpp"

namespace quiesce::detail {

// Null when there is none to be had.
template <class P>
auto deferred_frees<P>::empty_block() -> block* {
    block* empty = here().take_spare();
    if (empty == nullptr) {
        empty = block::create(P::limits().free_block_entries);
    }
    if (empty == nullptr) {
        reserve_.back_off();
        empty = P::seeded(defect::reserve_not_used) ? nullptr : reserve_.take();
    }
    return empty;
}

template <class P>
struct deferred_frees<P>::wrapper : head {
    deferred_frees* home = nullptr;
    void* object = nullptr;
    free_function free = nullptr;
    channel kind = channel::small;
};

// What the wrapper is for is never to touch the object, as a link through it would.
template <class P>
bool deferred_frees<P>::defer_wrapped(channel kind, void* object, free_function free) {
    void* const memory = P::allocate(sizeof(wrapper), alignof(wrapper));
    if (memory == nullptr) {
        return false;
    }
    if (P::seeded(defect::fallback_links_through_object)) {
        static_cast<typename P::template plain<void*>*>(object)->set(memory);
    }
    auto* const w = ::new (memory) wrapper();
    w->home = this;
    w->object = object;
    w->free = free;
    w->kind = kind;
    defer(static_cast<head*>(w), &free_wrapped);
    return true;
}

// The grace period is over.
template <class P>
void deferred_frees<P>::free_wrapped(head* h) {
    auto* const w = static_cast<wrapper*>(h);
    if (!P::seeded(defect::fallback_frees_wrapper_only)) {
        w->home->free_object(w->kind, w->object, w->free);
    }
    w->~wrapper();
    P::deallocate(w, sizeof(wrapper), alignof(wrapper));
}

template <class P>
void deferred_frees<P>::wait_and_free(channel kind, void* object, free_function free) {
    {
        shard& s = here();
        const bool locked = P::seeded(defect::inline_wait_under_shard_lock);
        if (locked) {
            s.lock_.lock();
        }
        (void)domain_.drive(domain_.gp_.snapshot(), 0);
        if (locked) {
            s.lock_.unlock();
        }
    }
    free_object(kind, object, free);
}

template <class P>
void deferred_frees<P>::keep_empty(block* empty, shard& at) {
    if (!reserve_.give(empty)) {
        at.keep_spare(empty);
    }
}

template <class P>
void deferred_frees<P>::shrink() {
    block_list<P> unused;
    visit_records([&unused](record& r) {
        for (block_array<P>& array : r.arrays) {
            if (array.block != nullptr && array.empty()) {
                unused.push_back(array.detach());
            }
        }
    });
    while (!unused.empty()) {
        block::destroy(unused.pop_front(), P::limits().free_block_entries);
    }
    for (shard& s : shards_) {
        s.drop_spares();
    }
    if (reserve_.drop() && !P::seeded(defect::shrink_not_armed)) {
        reserve_.back_off();
        // Nobody else may come to ask for what is missing now.
        try {
            arm(nullptr);
        } catch (const std::exception&) {
            // Dropped: the next object that is deferred tries again.
        }
    }
}

}  // namespace quiesce::detail
