// Definitions of basic_rcu_domain.
#pragma once

#include "quiesce/rcu_domain.hpp"

namespace quiesce {

template <platform P>
basic_rcu_domain<P>::basic_rcu_domain()
    : shards_(P::limits().shards),
      own_(this, &thread_exits, &section_open),
      running_callbacks_(this, &thread_exits_in_callback, &callback_running),
      frees_(*this),
      worker_(*this),
      driver_(*this) {
    P::name(wanted_, "domain.wanted");
    P::name(work_, "domain.work");
    P::name(markers_left_, "domain.markers_left");
    P::name(handlers_, "domain.handlers");
    P::name(unmarked_handler_, "domain.unmarked_handler");
    for (shard& s : shards_) {
        s.behind.owner = this;
    }
}

template <platform P>
basic_rcu_domain<P>::~basic_rcu_domain() {
    worker_.stop();
    driver_.stop();
    for (const auto& cache : caches_.all()) {
        P::report({misuse::domain_destroyed_with_caches, "~rcu_domain", this, cache->options().name});
    }
    caches_.staged().for_each([this](detail::staged_member<P>& cache) {
        P::report({misuse::domain_destroyed_with_caches, "~rcu_domain", this, cache.name()});
    });
    for (shard& s : shards_) {
        if (!s.queue.look().idle) {
            P::report({misuse::domain_destroyed_with_callbacks, "~rcu_domain", this});
        }
    }
}

// What starts threads is not inline: it is then compiled where the core is instantiated, and only there. A library that
// is unloaded, and that was the first to use the domain, would take the code away that the threads run.

template <platform P>
void basic_rcu_domain<P>::start_driver() {
    driver_.ensure_started();
}

template <platform P>
void basic_rcu_domain<P>::run_on_worker(head* h, typename head::callback function) {
    tasks_.add(h, function);
    caches_.wake_worker();
    worker_.ensure_started();
}

template <platform P>
auto basic_rcu_domain<P>::register_thread() -> record& {
    record* const r = readers_.claim();
    if (r == nullptr) {
        throw std::bad_alloc();
    }
    r->seen.set(gp_.newest());
    if (!own_.set(r)) {
        readers_.release(r);
        throw std::bad_alloc();
    }
    return *r;
}

template <platform P>
void basic_rcu_domain<P>::thread_exits(void* self, record* r) {
    if (r->nesting.get() != 0) {
        P::report({misuse::thread_exit_in_section, "thread exit", self});
        return;
    }
    static_cast<basic_rcu_domain*>(self)->readers_.release(r);
}

template <platform P>
bool basic_rcu_domain<P>::in_section() {
    record* const r = own_.get();
    return r != nullptr && r->nesting.get() != 0;
}

template <platform P>
unsigned basic_rcu_domain<P>::reader_records() {
    unsigned count = 0;
    for (record* r = readers_.first(); r != nullptr; r = r->next.get()) {
        ++count;
    }
    return count;
}

template <platform P>
bool basic_rcu_domain<P>::refuse(misuse in_section_kind, misuse in_callback_kind, std::string_view call,
                                 std::string_view cache) {
    if (in_section()) {
        P::report({in_section_kind, call, this, cache});
        return true;
    }
    if (running_callbacks_.get() != nullptr) {
        P::report({in_callback_kind, call, this, cache});
        return true;
    }
    return false;
}

template <platform P>
void basic_rcu_domain<P>::synchronize() {
    if (!refuse(misuse::synchronize_in_section, misuse::synchronize_in_callback, "rcu_synchronize")) {
        wait(gp_.snapshot());
    }
}

template <platform P>
void basic_rcu_domain<P>::wait(cookie c) {
    if (gp_.done(c)) {
        return;
    }
    if (!refuse(misuse::synchronize_in_section, misuse::synchronize_in_callback, "rcu_domain::wait")) {
        (void)drive(c, 0);
    }
}

namespace detail {

/// The milliseconds that have passed at least: the clock leaves out fractions, at the beginning too.
template <platform P>
std::uint64_t certainly_since(std::uint64_t began) {
    const std::uint64_t ticks = P::now() - began;
    return ticks == 0 ? 0 : ticks - 1;
}

}  // namespace detail

template <platform P>
bool basic_rcu_domain<P>::drive(cookie c, unsigned milliseconds) {
    const std::uint64_t began = milliseconds == 0 ? 0 : P::now();
    want(c);
    for (;;) {
        typename detail::grace_period<P>::obstacle in_the_way;
        bool over = false;
        stall_notice stall;
        unsigned patience = 0;
        {
            const detail::lock_hold hold(gp_lock_);
            while (!gp_.done(c) && step_locked() != step_result::waiting_for_readers) {
            }
            over = gp_.done(c);
            if (!over) {
                in_the_way = gp_.prepare_to_park();
            }
            look_for_stall(stall);
            patience = watch_.until_next_look();
        }
        if (over) {
            tell_driver();
        }
        tell_of_stall(stall);
        if (over) {
            return true;
        }
        // Without the lock, so that nobody waits for longer than its own patience.
        if (milliseconds == 0) {
            (void)gp_.park(in_the_way, patience);
            continue;
        }
        const std::uint64_t spent = detail::certainly_since<P>(began);
        const unsigned left = spent >= milliseconds ? 0 : milliseconds - static_cast<unsigned>(spent);
        const bool look_first = patience != 0 && patience < left;
        if (left == 0 || (!gp_.park(in_the_way, look_first ? patience : left) && !look_first)) {
            tell_driver();
            return gp_.done(c);
        }
    }
}

template <platform P>
void basic_rcu_domain<P>::tell_driver() {
    if (!P::seeded(defect::driver_not_told_of_foreign_grace_period)) {
        // It may have found the lock taken and gone to sleep; what waited for the grace period is its to run, and one
        // that nobody waits for any more its to end.
        announce_work();
    }
}

template <platform P>
bool basic_rcu_domain<P>::wait_for(cookie c, unsigned milliseconds) {
    if (gp_.done(c)) {
        return true;
    }
    if (refuse(misuse::synchronize_in_section, misuse::synchronize_in_callback, "rcu_domain::wait_for")) {
        return false;
    }
    return drive(c, milliseconds);
}

template <platform P>
bool basic_rcu_domain<P>::refuse_in_section(const void* object, std::string_view call) {
    if (!P::checked() || !in_section()) {
        return false;
    }
    P::report({misuse::free_rcu_in_section, call, object});
    return true;
}

template <platform P>
void basic_rcu_domain<P>::free_rcu(void* object, free_function free) {
    if (!refuse_in_section(object, "free_rcu")) {
        (void)defer_or_wait(detail::channel::small, object, free);
    }
}

template <platform P>
bool basic_rcu_domain<P>::defer_or_wait(detail::channel kind, void* object, free_function free) {
    const bool deferred = frees_.defer(kind, object, free, true);
    if (deferred != P::seeded(defect::deferred_and_freed_inline)) {
        return true;
    }
    if (in_section()) {
        P::report({misuse::free_rcu_in_section, "free_rcu", object});
        return false;
    }
    frees_.wait_and_free(kind, object, free);
    return true;
}

template <platform P>
void basic_rcu_domain<P>::free_rcu_barrier() {
    if (!refuse(misuse::barrier_in_section, misuse::barrier_in_callback, "free_rcu_barrier")) {
        frees_.barrier();
    }
}

template <platform P>
std::vector<cache_usage> basic_rcu_domain<P>::caches() {
    std::vector<cache_usage> result;
    for (const auto& cache : caches_.all()) {
        result.push_back(cache->usage());
    }
    caches_.staged().for_each([&result](detail::staged_member<P>& cache) { result.push_back(cache.listed()); });
    return result;
}

template <platform P>
std::optional<cache_usage> basic_rcu_domain<P>::cache_named(std::string_view name) {
    const auto cache = caches_.named(name);
    return cache == nullptr ? caches_.staged().named(name) : std::optional(cache->usage());
}

template <platform P>
auto basic_rcu_domain<P>::start_poll() -> cookie {
    const cookie c = gp_.snapshot();
    want(c);
    kick();
    return c;
}

template <platform P>
void basic_rcu_domain<P>::want(cookie c) {
    cookie asked = wanted_.load(std::memory_order_relaxed);
    // [drv.3] relaxed: whoever must find it is told by a kick, or holds the grace-period lock itself.
    while (asked < c &&
           !wanted_.compare_exchange_strong(asked, c, std::memory_order_relaxed, std::memory_order_relaxed)) {
    }
}

template <platform P>
step_result basic_rcu_domain<P>::step_locked() {
    if (!gp_.under_way()) {
        bool wanted = !gp_.done(wanted_.load(std::memory_order_relaxed));
        for (shard& s : shards_) {
            wanted = s.queue.cover() || wanted;
        }
        if (!wanted) {
            return step_result::idle;
        }
        gp_.start(readers_);
    }
    if (gp_.scan() == detail::grace_period_state::waiting_for_readers) {
        return step_result::waiting_for_readers;
    }
    gp_.complete();
    for (shard& s : shards_) {
        s.queue.uncover();
    }
    return step_result::completed;
}

template <platform P>
step_result basic_rcu_domain<P>::advance_grace_period() {
    step_result result = step_result::busy;
    stall_notice stall;
    {
        const std::unique_lock hold(gp_lock_, std::try_to_lock);
        if (hold.owns_lock()) {
            result = step_locked();
            look_for_stall(stall);
        }
    }
    if (result == step_result::completed) {
        tell_driver();
    }
    tell_of_stall(stall);
    return result;
}

template <platform P>
void basic_rcu_domain<P>::wait_for_readers(unsigned milliseconds) {
    typename detail::grace_period<P>::obstacle in_the_way;
    {
        const std::unique_lock hold(gp_lock_, std::try_to_lock);
        if (!hold.owns_lock() || !gp_.under_way() || gp_.scan() != detail::grace_period_state::waiting_for_readers) {
            return;
        }
        in_the_way = gp_.prepare_to_park();
    }
    (void)gp_.park(in_the_way, milliseconds);
}

template <platform P>
unsigned basic_rcu_domain<P>::reclaim_step() {
    return run_callbacks(P::limits().callbacks_per_step);
}

template <platform P>
unsigned basic_rcu_domain<P>::run_callbacks(unsigned most) {
    const callback_scope scope(*this);
    unsigned ran = 0;
    for (shard& s : shards_) {
        ran += s.queue.run(most);
    }
    return ran;
}

template <platform P>
void basic_rcu_domain<P>::retire(head* h, typename head::callback function) {
    if (h->function.get() != nullptr) {
        P::report({misuse::double_retire, "rcu_retire", h});
        return;
    }
    h->function.set(function);
    if (shards_[P::this_shard() % shards_.size()].queue.enqueue(h)) {
        kick();
    } else {
        // It may have been lost in a fork, or could not be started before.
        start_driver();
    }
}

template <platform P>
void basic_rcu_domain<P>::retire_surely(head* h, typename head::callback function) noexcept {
    try {
        retire(h, function);
    } catch (const std::exception&) {
        // Dropped: it is queued.
    }
}

template <platform P>
bool basic_rcu_domain<P>::try_start_driver() noexcept {
    try {
        start_driver();
    } catch (const std::exception&) {
        return false;
    }
    return true;
}

template <platform P>
void basic_rcu_domain<P>::kick() {
    start_driver();
    announce_work();
}

template <platform P>
void basic_rcu_domain<P>::announce_work() {
    // [drv.2] release pairs with [drv.1].
    const auto order =
        P::seeded(defect::work_announced_relaxed) ? std::memory_order_relaxed : std::memory_order_release;
    const bool tested_early =
        P::seeded(defect::sleeper_tested_before_announcing) && (work_.load(std::memory_order_relaxed) & sleeping) == 0;
    // One read-modify-write both announces and asks whether somebody sleeps, so neither can miss the other.
    const std::uint64_t before = work_.fetch_add(sleeping + 1, order);
    if ((before & sleeping) == 0 || tested_early) {
        return;
    }
    // All who sleep are woken, so the next announcement need not. Where this fails, that one has come already.
    std::uint64_t announced = before + sleeping + 1;
    (void)work_.compare_exchange_strong(announced, announced & ~sleeping, std::memory_order_relaxed,
                                        std::memory_order_relaxed);
    P::wake(work_);
}

template <platform P>
void basic_rcu_domain<P>::wait_for_work(std::uint64_t seen, unsigned milliseconds) {
    const std::uint64_t epoch = P::seeded(defect::driver_sleeps_on_stale_epoch) ? work_epoch() : seen;
    const std::uint64_t asleep = epoch | sleeping;
    std::uint64_t found = epoch;
    if (!work_.compare_exchange_strong(found, asleep, std::memory_order_relaxed, std::memory_order_relaxed) &&
        found != asleep) {
        return;
    }
    const auto changed = [asleep](std::uint64_t now) { return now != asleep; };
    if (milliseconds == 0) {
        P::await(work_, changed, std::memory_order_relaxed);
    } else {
        P::await_for(work_, changed, std::memory_order_relaxed, milliseconds);
    }
}

template <platform P>
void basic_rcu_domain<P>::marker_reached(head* h) {
    basic_rcu_domain& self = *static_cast<marker*>(h)->owner;
    // [bar.1] release: the callbacks before the marker happen before the barrier's return; acquire makes the last one
    // carry the others' along.
    if (self.markers_left_.fetch_sub(1, P::seeded(defect::marker_reached_relaxed) ? std::memory_order_relaxed
                                                                                  : std::memory_order_acq_rel) == 1) {
        P::wake(self.markers_left_);
    }
}

template <platform P>
void basic_rcu_domain<P>::barrier() {
    if (refuse(misuse::barrier_in_section, misuse::barrier_in_callback, "rcu_barrier")) {
        return;
    }
    const detail::lock_hold one_at_a_time(barrier_lock_);
    // One more than the markers, so that none of them completes the count before the last is queued.
    const bool biased = !P::seeded(defect::barrier_counts_while_queueing);
    markers_left_.store(biased ? 1 : 0, std::memory_order_relaxed);
    const bool everywhere = !P::seeded(defect::barrier_only_own_shard);
    const unsigned own_shard = P::this_shard() % shards_.size();
    for (unsigned i = 0; i != shards_.size(); ++i) {
        if (!everywhere && i != own_shard) {
            continue;
        }
        marker& m = shards_[i].behind;
        m.function.set(&marker_reached);
        markers_left_.fetch_add(1, std::memory_order_relaxed);
        if (!shards_[i].queue.entrain(&m)) {
            markers_left_.fetch_sub(1, std::memory_order_relaxed);
            m.function.set(nullptr);
        }
        // [bar.2], too early.
        if (!biased && markers_left_.load(std::memory_order_acquire) == 0) {
            return;
        }
    }
    announce_work();
    if (biased) {
        // [bar.2] acquire pairs with [bar.1], here when the markers have already run, below when they have not.
        if (markers_left_.fetch_sub(1, std::memory_order_acquire) == 1) {
            return;
        }
    }
    (void)await_driver(
        markers_left_, [](std::uint64_t left) { return left == 0; }, 0);
}

template <platform P>
template <class Cell, class Predicate>
bool basic_rcu_domain<P>::await_driver(Cell& cell, Predicate satisfied, unsigned milliseconds) {
    using driver = typename P::template driver<basic_rcu_domain>;
    // [bar.2], [fbar.2], [end.3] and [wrk.4], where what is awaited has not come yet.
    constexpr auto order = std::memory_order_acquire;
    if constexpr (detail::one_thread<P>) {
        while (!satisfied(cell.load(std::memory_order_relaxed))) {
            if (!take_absent_drivers_steps()) {
                return milliseconds == 0 ? (P::await(cell, satisfied, order), true) : false;
            }
        }
        return true;
    } else if constexpr (driver::look_again_ms == 0) {
        start_driver();
        return milliseconds == 0 ? (P::await(cell, satisfied, order), true)
                                 : P::await_for(cell, satisfied, order, milliseconds);
    } else {
        const std::uint64_t began = P::now();
        for (;;) {
            const bool alone = !try_start_driver() || driver_.absent();
            const bool stepped = alone && take_absent_drivers_steps();
            const std::uint64_t spent = detail::certainly_since<P>(began);
            unsigned patience = stepped ? 0 : driver::look_again_ms;
            if (milliseconds != 0 && spent + patience > milliseconds) {
                patience = spent < milliseconds ? static_cast<unsigned>(milliseconds - spent) : 0;
            }
            if (P::await_for(cell, satisfied, order, patience)) {
                return true;
            }
            if (milliseconds != 0 && detail::certainly_since<P>(began) >= milliseconds) {
                return false;
            }
        }
    }
}

template <platform P>
template <class Cell, class Predicate>
bool basic_rcu_domain<P>::await_worker(Cell& cell, Predicate satisfied, unsigned milliseconds) {
    if constexpr (detail::one_thread<P>) {
        while (!satisfied(cell.load(std::memory_order_relaxed)) && settle_step()) {
        }
    }
    return await_driver(cell, satisfied, milliseconds);
}

// Returns whether it did anything. A worker does nothing: beside a driver that is absent, deleters may run in those who
// wait only.
template <platform P>
bool basic_rcu_domain<P>::take_absent_drivers_steps() {
    const std::unique_lock one_at_a_time(absence_lock_, std::try_to_lock);
    if (!one_at_a_time.owns_lock() || worker_.is_this_thread()) {
        return false;
    }
    bool did = monitor_step();
    const step_result step = advance_grace_period();
    if (step == step_result::waiting_for_readers) {
        wait_for_readers(1);
    }
    did |= free_step() != 0;
    return reclaim_step() != 0 || did || step == step_result::completed;
}

}  // namespace quiesce
