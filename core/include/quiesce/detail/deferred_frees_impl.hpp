// Definitions of deferred_frees.
#pragma once

#include "quiesce/detail/deferred_frees.hpp"

namespace quiesce::detail {

template <class P>
deferred_frees<P>::deferred_frees(basic_rcu_domain<P>& domain)
    : domain_(domain),
      shards_(P::limits().shards),
      limits_{P::limits().backlog_hurry, P::limits().backlog_throttle, P::limits().throttle_ms},
      own_(this, &thread_exits) {
    P::name(armed_, "monitor.armed");
    P::name(shards_left_, "frees.shards_left");
    P::name(backlog_, "frees.backlog");
}

template <class P>
deferred_frees<P>::~deferred_frees() {
    bool pending = false;
    for (record* r = records_.first(); r != nullptr; r = r->next.get()) {
        pending = pending || r->heads_count.get() != 0;
        for (block_array<P>& array : r->arrays) {
            if (block* const held = array.detach(); held != nullptr) {
                pending = pending || held->count != 0;
                block::destroy(held, P::limits().free_block_entries);
            }
        }
    }
    for (shard& s : shards_) {
        pending = pending || !s.look().idle;
    }
    if (pending) {
        P::report({misuse::domain_destroyed_with_frees, "~rcu_domain", &domain_});
    }
    if (large_.usage().blocks != 0) {
        P::report({misuse::domain_destroyed_with_large_blocks, "~rcu_domain", &domain_});
    }
}

template <class P>
auto deferred_frees<P>::register_thread() -> record* {
    record* const r = records_.claim();
    if (r != nullptr && !own_.set(r)) {
        records_.release(r);
        return nullptr;
    }
    return r;
}

template <class P>
void deferred_frees<P>::thread_exits(void* self, record* r) {
    auto& frees = *static_cast<deferred_frees*>(self);
    if (P::seeded(defect::thread_exit_drops_frees)) {
        (void)r->gate.enter();
        for (block_array<P>& array : r->arrays) {
            array.install(nullptr, 0);
        }
        r->gate.leave();
    }
    if (r->gate.enter()) {
        for (unsigned i = 0; i != r->slot_count; ++i) {
            if (cache_core<P>* const cache = r->slots[i].cache.get(); cache != nullptr) {
                cache->take_over(r->slots[i]);
            }
        }
        r->gate.leave();
    }
    // What the thread has deferred stays in the record, for the monitor or for the record's next owner; the monitor is
    // armed as long as there is something. The same for magazines, when a flusher was at work just now.
    frees.records_.release(r);
}

template <class P>
inline bool deferred_frees<P>::defer(channel kind, void* object, free_function free, bool may_wait) {
    record* const r = own_record();
    if (r != nullptr && r->gate.enter()) [[likely]] {
        if (block_array<P>& array = r->array(kind); !array.full()) [[likely]] {
            array.append(object, free);
            r->gate.leave();
            return true;
        }
        r->gate.leave();
    }
    return defer_slowly(r, kind, object, free, may_wait);
}

template <class P>
bool deferred_frees<P>::defer_slowly(record* r, channel kind, void* object, free_function free, bool may_wait) {
    // Before anything else, since without it nothing may change; and outside the gate, since an allocation may take
    // long and may run code of the user.
    block* const empty = empty_block();
    if (empty == nullptr) {
        return defer_wrapped(kind, object, free);
    }
    if (r != nullptr && r->gate.enter()) {
        block_array<P>& array = r->array(kind);
        const bool needed = array.full();
        if (needed) {
            if (array.block != nullptr) {
                detach_and_hand_over(*r, array);
            }
            empty->kind = block_of<P>(kind);
            array.install(empty, P::limits().free_block_entries);
            if (P::seeded(defect::block_cookie_of_first_append)) {
                empty->cookie = domain_.gp_.snapshot();
            }
        }
        array.append(object, free);
        r->gate.leave();
        if (!needed) {
            // The allocation itself deferred frees.
            keep_empty(empty, here());
            return true;
        }
    } else {
        // A flusher is at work, or this thread has no record: the object goes to the shard in a block of its own.
        empty->begin()->object.set(object);
        empty->begin()->free.set(free);
        empty->count = 1;
        empty->kind = block_of<P>(kind);
        head_list<P> none;
        hand_over(empty, none, 0);
    }
    arm(r);
    slow_down(may_wait);
    return true;
}

// Gives what a block held to its allocators, as many objects at a time as come together.
template <class P>
void deferred_frees<P>::free_objects(channel kind, deferred_object<P>* first, deferred_object<P>* last) {
    if (kind == channel::large) {
        large_.free_all(first, last);
        return;
    }
    while (first != last) {
        if (const free_function free = first->free.get(); free != nullptr) {
            free(first->object.get());
            ++first;
            continue;
        }
        if (P::checked() && large_.has(first->object.get())) [[unlikely]] {
            P::report({misuse::freed_to_wrong_allocator, "free_rcu", first->object.get()});
            ++first;
            continue;
        }
        cache_core<P>* const owner = slab<P>::of(first->object.get())->owner;
        deferred_object<P>* end = first + 1;
        while (end != last && end->free.get() == nullptr && slab<P>::of(end->object.get())->owner == owner) {
            ++end;
        }
        owner->free_deferred(first, end);
        first = end;
    }
}

template <class P>
void deferred_frees<P>::free_object(channel kind, void* object, free_function free) {
    deferred_object<P> one;
    one.object.set(object);
    one.free.set(free);
    if (one_thread<P> && P::seeded(defect::single_thread_frees_all_as_small)) {
        kind = channel::small;
    }
    free_objects(kind, &one, &one + 1);
}

// Inside the gate, so that a flusher waits until the shard has what the record no longer has.
template <class P>
void deferred_frees<P>::detach_and_hand_over(record& r, block_array<P>& array) {
    block* const full = array.detach();
    if (P::seeded(defect::detached_before_handed_over)) {
        r.gate.leave();
        (void)r.gate.enter();
    }
    head_list<P> none;
    hand_over(full, none, 0);
}

template <class P>
void deferred_frees<P>::defer(head* h, typename head::callback function) {
    if (h->function.get() != nullptr) {
        P::report({misuse::double_retire, "free_rcu", h});
        return;
    }
    h->function.set(function);
    record* const r = own_record();
    if (r == nullptr || !r->gate.enter()) {
        head_list<P> one;
        one.push_back(h);
        hand_over(nullptr, one, 1);
        arm(r);
        slow_down(false);
        return;
    }
    const unsigned count = r->heads_count.get() + 1;
    r->heads.push_back(h);
    const bool full = count >= P::limits().free_block_entries;
    if (full) {
        hand_over(nullptr, r->heads, count);
    }
    r->heads_count.set(full ? 0 : count);
    r->gate.leave();
    if (full || count == 1) {
        arm(r);
    }
    if (full) {
        slow_down(false);
    }
}

template <class P>
void deferred_frees<P>::hand_over(block* full, head_list<P>& heads, unsigned heads_count) {
    if (counts_backlog()) {
        // Counted first, or the driver may count it off before.
        backlog_.fetch_add((full == nullptr ? 0 : full->count) + heads_count, std::memory_order_relaxed);
    }
    here().hand_over(full, heads, heads_count, domain_.gp_);
}

// Asks for the monitor, after something was appended to an empty array or handed over. Outside the gate: it may start
// the driver, which may throw.
template <class P>
void deferred_frees<P>::arm(record* r) {
    if (r != nullptr && !r->announced.get() && !P::seeded(defect::new_record_only_arms)) {
        // The monitor may have passed over the list of records before this one was there. Its exchange and this one
        // are ordered: either it comes later and finds the record, or it is asked once more.
        hurry();
        r->announced.set(true);
        return;
    }
    auto idle = static_cast<std::uint32_t>(monitor_state::idle);
    if (armed_.load(std::memory_order_relaxed) == idle) {
        // Before the exchange: when it throws, the next call tries again.
        domain_.start_driver();
        if (armed_.compare_exchange_strong(idle, static_cast<std::uint32_t>(monitor_state::armed),
                                           std::memory_order_relaxed, std::memory_order_relaxed)) {
            domain_.announce_work();
        }
    }
}

template <class P>
void deferred_frees<P>::hurry() {
    constexpr auto hurried = static_cast<std::uint32_t>(monitor_state::hurried);
    domain_.start_driver();
    // [mon.1] release pairs with [mon.2]: the monitor finds the record that is why it was asked.
    if (armed_.exchange(hurried, P::seeded(defect::monitor_asked_relaxed) ? std::memory_order_relaxed
                                                                          : std::memory_order_release) != hurried) {
        domain_.announce_work();
    }
}

template <class P>
template <class Visit>
void deferred_frees<P>::visit_records(Visit visit) {
    const lock_hold one_flusher(flush_lock_);
    for (record* r = close_gates(); r != nullptr; r = r->next.get()) {
        r->gate.wait_until_outside();
        visit(*r);
        r->gate.open();
    }
}

template <class P>
auto deferred_frees<P>::close_gates() -> record* {
    record* const first = records_.first();
    if (first != nullptr) {
        for (record* r = first; r != nullptr; r = r->next.get()) {
            r->gate.close();
        }
        owner_gate<P>::after_closing();
    }
    return first;
}

template <class P>
collected deferred_frees<P>::look() {
    collected found;
    visit_records([&found](record& r) { found.idle = found.idle && r.nothing_deferred(); });
    for (shard& s : shards_) {
        found += s.look();
    }
    return found;
}

template <class P>
void deferred_frees<P>::before_fork() {
    flush_lock_.lock();
    forking_ = close_gates();
    for (record* r = forking_; r != nullptr; r = r->next.get()) {
        r->gate.wait_until_outside();
    }
    for (shard& s : shards_) {
        s.before_fork();
    }
    reserve_.before_fork();
    large_.before_fork();
}

template <class P>
void deferred_frees<P>::after_fork(bool in_child) {
    large_.after_fork();
    reserve_.after_fork();
    for (shard& s : shards_) {
        s.after_fork();
    }
    for (record* r = forking_; r != nullptr; r = r->next.get()) {
        if (in_child) {
            r->gate.forget_owner();
        }
        r->gate.open();
    }
    if (in_child) {
        // The other threads are gone. What they kept is there for the next owners of their records, and the monitor.
        for (record* r = records_.first(); r != nullptr; r = r->next.get()) {
            if (r != own_.get()) {
                records_.release(r);
            }
        }
    }
    flush_lock_.unlock();
    end_no_barrier();
}

template <class P>
void deferred_frees<P>::press() {
    constexpr auto pressed = static_cast<std::uint32_t>(monitor_state::pressed);
    auto asked = armed_.load(std::memory_order_relaxed);
    // Whoever asked for more than this is served first, and looks at the backlog then.
    domain_.start_driver();
    if (asked < pressed &&
        armed_.compare_exchange_strong(asked, pressed, std::memory_order_relaxed, std::memory_order_relaxed)) {
        domain_.announce_work();
    }
}

template <class P>
void deferred_frees<P>::begin_again() {
    armed_.store(static_cast<std::uint32_t>(monitor_state::idle), std::memory_order_relaxed);
    (void)collect();
}

// Takes over what the threads hold and hands it to a shard; returns how many objects that was.
template <class P>
unsigned deferred_frees<P>::collect() {
    unsigned objects = 0;
    free_channels<P> late;
    const bool in_one_go = !P::seeded(defect::collected_before_handed_over);
    visit_records([&](record& r) {
        free_channels<P> found;
        for (block_array<P>& array : r.arrays) {
            if (block* const held = array.detach(); held != nullptr) {
                objects += held->count;
                found.push(held);
            }
        }
        found.heads.splice_back(r.heads);
        found.heads_count = r.heads_count.get();
        objects += found.heads_count;
        if (found.heads_count != 0) {
            r.heads_count.set(0);
        }
        // Before the next flusher may find the array empty.
        if (in_one_go) {
            hand_over(found);
        } else {
            late.take_blocks(found);
            late.heads.splice_back(found.heads);
            late.heads_count += found.heads_count;
        }
    });
    hand_over(late);
    return objects;
}

template <class P>
void deferred_frees<P>::hand_over(free_channels<P>& what) {
    if (what.empty()) {
        return;
    }
    hand_over(what.pop_block(), what.heads, what.heads_count);
    while (block* const more = what.pop_block()) {
        hand_over(more, what.heads, 0);
    }
}

template <class P>
bool deferred_frees<P>::monitor_step() {
    const auto idle = static_cast<std::uint32_t>(monitor_state::idle);
    const bool clear_last = P::seeded(defect::armed_cleared_after_test);
    // [mon.2] acquire pairs with [mon.1].
    if (clear_last) {
        if (armed_.load(std::memory_order_acquire) == idle) {
            return false;
        }
    } else if (armed_.exchange(idle, std::memory_order_acquire) == idle) {
        return false;
    }
    bool did = collect() != 0;
    bool left = false;
    for (shard& s : shards_) {
        free_channels<P> expired;
        const typename shard::monitor_result result = s.monitor(domain_.gp_, expired);
        if (result.wanted != 0) {
            domain_.want(result.wanted);
            did = true;
        }
        if (!expired.empty()) {
            free_all(expired, s);
            did = true;
        }
        left = left || result.left;
    }
    switch (reserve_.refill()) {
        case block_reserve<P>::filling::full: break;
        case block_reserve<P>::filling::grew: did = true; [[fallthrough]];
        case block_reserve<P>::filling::later: left = left || !P::seeded(defect::reserve_not_armed);
    }
    if (clear_last && !left) {
        armed_.store(idle, std::memory_order_relaxed);
    }
    if (left && !P::seeded(defect::monitor_forgets_pending)) {
        // Nobody is told: the batches under way end with a grace period, which tells the driver, and the reserve can
        // wait for as long as the driver delays.
        auto expected = idle;
        armed_.compare_exchange_strong(expected, static_cast<std::uint32_t>(monitor_state::armed),
                                       std::memory_order_relaxed, std::memory_order_relaxed);
    }
    return did;
}

template <class P>
unsigned deferred_frees<P>::reclaim_step() {
    unsigned batches = 0;
    for (shard& s : shards_) {
        free_channels<P> ready;
        if (s.take_batch(domain_.gp_, ready)) {
            free_all(ready, s);
            ++batches;
        }
    }
    return batches;
}

template <class P>
void deferred_frees<P>::free_all(free_channels<P>& channels, shard& from) {
    const typename basic_rcu_domain<P>::callback_scope scope(domain_);
    unsigned units[2] = {0, 0};
    std::uint64_t objects = 0;
    while (block* const b = channels.pop_block()) {
        free_objects(b->kind, b->begin(), b->begin() + b->count);
        objects += b->count;
        ++units[b->phase];
        keep_empty(b, from);
    }
    if (!channels.heads.empty()) {
        ++units[channels.heads_phase];
        objects += channels.heads_count;
    }
    while (!channels.heads.empty()) {
        head* const h = channels.heads.pop_front();
        const typename head::callback function = h->function.get();
        h->function.set(nullptr);
        function(h);
    }
    if (counts_backlog()) {
        const std::uint64_t before = backlog_.fetch_sub(objects, std::memory_order_relaxed);
        if (before >= limits_.throttle_at && before - objects < limits_.throttle_at) {
            P::wake(backlog_);
        }
    }
    if (from.freed(units)) {
        barrier_count_down();
    }
}

template <class P>
void deferred_frees<P>::barrier_count_down() {
    // [fbar.1] release: what was freed happens before the barrier's return; acquire makes the last shard carry the
    // others' along.
    if (shards_left_.fetch_sub(
            1, P::seeded(defect::shard_drained_relaxed) ? std::memory_order_relaxed : std::memory_order_acq_rel) == 1) {
        P::wake(shards_left_);
    }
}

template <class P>
void deferred_frees<P>::barrier() {
    // First, since it may throw, and nothing may have changed then.
    domain_.start_driver();
    const lock_hold one_at_a_time(barrier_lock_);
    if (!P::seeded(defect::free_barrier_does_not_collect)) {
        collect();
    }
    // One more than the shards, so that none of them completes the count before the last was asked.
    shards_left_.store(1, std::memory_order_relaxed);
    const unsigned own_shard = P::this_shard() % shards_.size();
    for (unsigned i = 0; i != shards_.size(); ++i) {
        if (P::seeded(defect::free_barrier_only_own_shard) && i != own_shard) {
            continue;
        }
        shards_left_.fetch_add(1, std::memory_order_relaxed);
        if (!shards_[i].begin_barrier()) {
            shards_left_.fetch_sub(1, std::memory_order_relaxed);
        }
    }
    // [fbar.2] acquire pairs with [fbar.1], here when everything is freed already, below when it is not.
    if (shards_left_.fetch_sub(1, std::memory_order_acquire) == 1) {
        return;
    }
    hurry();
    (void)domain_.await_driver(
        shards_left_, [](std::uint64_t left) { return left == 0; }, 0);
}

// A producer that is ahead of the driver waits until the driver has caught up; but only for so long, since a deleter
// may need a lock that the producer holds. Waiting for a grace period alone does not bound the backlog: grace periods
// are faster than deleters.
template <class P>
void deferred_frees<P>::slow_down(bool may_wait) {
    if (!counts_backlog()) {
        return;
    }
    const std::uint64_t backlog = backlog_.load(std::memory_order_relaxed);
    if (limits_.hurry_at != 0 && backlog >= limits_.hurry_at) {
        press();
    }
    if (limits_.throttle_at == 0 || backlog < limits_.throttle_at) {
        return;
    }
    const bool busy = P::thread_is_busy();
    const auto caught_up = [this](std::uint64_t now) { return now < limits_.throttle_at; };
    if (P::seeded(busy ? defect::throttled_in_callback : defect::throttled_without_limit)) {
        P::await(backlog_, caught_up, std::memory_order_relaxed);
        return;
    }
    if (!may_wait || busy || limits_.throttle_ms == 0 ||
        !P::await_for(backlog_, caught_up, std::memory_order_relaxed, limits_.throttle_ms)) {
        exceeded_.fetch_add(1, std::memory_order_relaxed);
    }
}

}  // namespace quiesce::detail
