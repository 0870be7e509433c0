// Definitions of staged_core: how a staged cache ends.
#pragma once

#include <exception>

#include "quiesce/detail/staged_core_impl.hpp"

namespace quiesce::detail {

template <class P>
bool staged_core<P>::draining() const {
    using any_stage = staged_stage<P>;
    // [stg.9] seq_cst, with [stg.3], [stg.6] and [stg.8].
    return draining_.load(any_stage::seq_cst_unless(defect::draining_read_with_acquire, std::memory_order_acquire)) !=
           0;
}

template <class P>
void staged_core<P>::set_draining() {
    using any_stage = staged_stage<P>;
    // [stg.6] seq_cst, with [stg.3], [stg.8] and [stg.9].
    draining_.store(1, any_stage::seq_cst_unless(defect::draining_set_with_release, std::memory_order_release));
    for (shard& s : *shards_) {
        put_back(s.first.take_incoming());
        put_back(s.second.take_incoming());
    }
}

template <class P>
bool staged_core<P>::in_flight() {
    return options_.on_destroy == staged_destroy::order ? in_flight_in_order() : in_flight_while_draining();
}

template <class P>
bool staged_core<P>::in_flight_in_order() {
    bool any = false;
    if (P::seeded(defect::stages_read_shard_by_shard)) {
        for (shard& s : *shards_) {
            any |= s.first.in_progress();
            any |= s.second.in_progress();
        }
        return any;
    }
    if (P::seeded(defect::second_stage_read_first)) {
        for (shard& s : *shards_) {
            any |= s.second.in_progress();
        }
    }
    for (shard& s : *shards_) {
        any |= s.first.in_progress();
    }
    if (!P::seeded(defect::second_stage_read_first)) {
        for (shard& s : *shards_) {
            any |= s.second.in_progress();
        }
    }
    return any;
}

template <class P>
bool staged_core<P>::in_flight_while_draining() {
    bool any = false;
    for (shard& s : *shards_) {
        any |= s.second.in_progress_while_draining();
    }
    for (shard& s : *shards_) {
        any |= s.first.in_progress();
    }
    return any;
}

template <class P>
void staged_core<P>::destroy() {
    first_.caches_.staged().is_destroyed(*this);
    // [stg.11] acquire pairs with [stg.10].
    const bool refilled = refills_.load(std::memory_order_acquire) == 0 || P::seeded(defect::destroy_ignores_refill);
    if (refilled) {
        const bool read_before = P::seeded(defect::counters_read_before_draining) && !in_flight();
        if (options_.on_destroy == staged_destroy::draining) {
            set_draining();
        }
        if (read_before || !in_flight()) {
            release_memory();
            end();
            return;
        }
    }
    try {
        first_.run_on_worker(&end_, &end_reached);
    } catch (const std::exception&) {
        // No thread can be had: then this one takes the worker's steps, unless it must not wait. There they stay
        // queued, and whoever asks the worker next tries to start it again.
        while (may_wait() && !ended() && first_.settle_step()) {
        }
    }
}

// On the worker, behind the refills that were asked for.
template <class P>
void staged_core<P>::end_reached(head* h) {
    staged_core& self = *static_cast<task*>(h)->core;
    // [stg.11] acquire pairs with [stg.10].
    if (self.refills_.load(std::memory_order_acquire) != 0) {
        // Two threads take the worker's steps, and the other one is in a refill, or in a visit, which takes as long as
        // this barrier.
        self.second_.barrier();
        self.first_.tasks_.add(h, &end_reached);
        self.first_.caches_.wake_worker();
        return;
    }
    if (self.options_.on_destroy == staged_destroy::draining && !self.draining()) {
        self.set_draining();
    }
    while (self.in_flight()) {
        self.first_.barrier();
        self.second_.barrier();
        if (P::seeded(defect::destroy_waits_one_round)) {
            break;
        }
    }
    self.release_memory();
    if (P::seeded(defect::end_told_on_worker)) {
        self.end();
    } else {
        self.first_.retire_surely(h, &end_on_driver);
    }
}

template <class P>
void staged_core<P>::end_on_driver(head* h) {
    static_cast<task*>(h)->core->end();
}

// Nothing is in flight, and nothing can be.
template <class P>
void staged_core<P>::release_memory() {
    bool lost = false;
    for (shard& s : *shards_) {
        lost |= s.first.take_incoming() != nullptr;
        lost |= s.second.take_incoming() != nullptr;
        list available;
        s.take_all(available);
        put_back(available.front());
    }
    if (lost) {
        P::report({misuse::objects_lost_at_destroy, "staged_cache::destroy", this, name_});
    }
    if (const std::uint64_t objects = held(); objects != 0) {
        misuse_report report{misuse::objects_held_at_destroy, "staged_cache::destroy", this, name_};
        report.objects = objects;
        P::report(report);
    }
    for (shard& s : *shards_) {
        typename shard::slabs unused;
        s.inspect([&](auto& pool, unsigned) { pool.trim(0, layout_.slab, unused); });
        while (!unused.empty()) {
            destroy_slab(unused.pop());
        }
    }
    // Whoever lists the cache looks at its shards until now.
    first_.caches_.staged().while_locked([this] { shards_.reset(); });
}

template <class P>
void staged_core<P>::end() {
    first_.caches_.staged().remove(*this);
    completion_.end();
    release();
}

// Objects that are allocated and not given back. What was given back and is not in its slab would be the library's
// fault, and is told apart where uses are noted.
template <class P>
std::uint64_t staged_core<P>::held() {
    std::uint64_t objects = 0;
    for (shard& s : *shards_) {
        s.inspect([&](auto& pool, unsigned) {
            if (!P::checked()) {
                objects += pool.in_use();
                return;
            }
            pool.for_each_in_use([&](slab& in_use) {
                for (unsigned i = 0; i != layout_.slab.objects; ++i) {
                    const std::uint32_t use = in_use.states(layout_.slab)[i].use.load(std::memory_order_relaxed);
                    objects += use == static_cast<std::uint32_t>(object_use::allocated) ? 1 : 0;
                }
            });
        });
    }
    return objects;
}

template <class P>
void staged_core<P>::before_fork() {
    if (shards_.has_value()) {
        for (shard& s : *shards_) {
            s.before_fork();
        }
    }
    completion_.before_fork();
}

template <class P>
void staged_core<P>::after_fork() {
    completion_.after_fork();
    if (shards_.has_value()) {
        for (shard& s : *shards_) {
            s.after_fork();
        }
    }
}

template <class P>
void staged_core<P>::wait() {
    (void)first_.await_worker(completion_.ended_cell(), &completion<P>::is_set, 0);
}

template <class P>
bool staged_core<P>::wait_for(unsigned milliseconds) {
    return milliseconds == 0 ? ended()
                             : first_.await_worker(completion_.ended_cell(), &completion<P>::is_set, milliseconds);
}

template <class P>
bool staged_core<P>::may_wait() {
    return !first_.in_section() && !second_.in_section() && first_.running_callbacks_.get() == nullptr &&
           second_.running_callbacks_.get() == nullptr;
}

template <class P>
bool staged_core<P>::wait_refused(std::string_view call) {
    return first_.refuse(misuse::destroy_in_section, misuse::destroy_in_callback, call, name_) ||
           second_.refuse(misuse::destroy_in_section, misuse::destroy_in_callback, call, name_);
}

template <class P>
void staged_core<P>::release() {
    if (completion_.release()) {
        this->~staged_core();
        P::deallocate(this, sizeof(staged_core), alignof(staged_core));
    }
}

}  // namespace quiesce::detail
