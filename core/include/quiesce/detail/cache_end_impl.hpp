// Definitions of cache_core: how a cache ends, and what can be learnt of it.
#pragma once

#include "quiesce/detail/cache_core_impl.hpp"

namespace quiesce::detail {

template <class P>
void cache_core<P>::take_over(cache_slot<P>& s) {
    const lock_hold hold(lock_);
    for (magazine<P>* const m : {s.loaded, s.previous}) {
        if (m != nullptr) {
            keep_locked(m);
        }
    }
    s.loaded = nullptr;
    s.previous = nullptr;
    deferred_ += std::exchange(s.deferred, 0);
    returned_ += std::exchange(s.returned, 0);
    s.cache.set(nullptr);
}

template <class P>
void cache_core<P>::empty_depot() {
    while (!filled_.empty()) {
        magazine<P>* const m = filled_.pop_front();
        while (m->count.get() != 0) {
            put_one(m->pop());
        }
        empties_.push_back(m);
        ++empties_count_;
    }
    filled_count_ = 0;
}

template <class P>
void cache_core<P>::shrink() {
    domain_.frees_.visit_records([this](record& r) {
        if (slot* const s = r.slot_of(*this, index); s != nullptr) {
            take_over(*s);
        }
    });
    {
        const lock_hold hold(lock_);
        empty_depot();
    }
    trim(0);
}

template <class P>
cache_usage cache_core<P>::usage() {
    cache_usage u;
    u.name = name_;
    std::uint64_t kept = 0;
    std::int64_t in_flight = 0;
    domain_.frees_.visit_records([&](record& r) {
        if (slot* const s = r.slot_of(*this, index); s != nullptr) {
            for (magazine<P>* const m : {s->loaded, s->previous}) {
                kept += m != nullptr ? m->count.get() : 0;
            }
            in_flight += static_cast<std::int64_t>(s->deferred - s->returned);
        }
    });
    const lock_hold hold(lock_);
    in_flight += static_cast<std::int64_t>(deferred_ - returned_);
    for (magazine<P>* m = filled_.front(); m != nullptr; m = m->next.get()) {
        kept += m->count.get();
    }
    // What changed hands meanwhile may be counted twice or not at all.
    u.quarantined = quarantined();
    kept += u.quarantined;
    const std::uint64_t out = slabs_.in_use() > kept ? slabs_.in_use() - kept : 0;
    const auto flying = static_cast<std::uint64_t>(in_flight > 0 ? in_flight : 0);
    u.in_flight = flying < out ? flying : out;
    u.in_use = out - u.in_flight;
    u.pending = destroyed_;
    u.slabs = slabs_.slabs();
    u.bytes = u.slabs * layout_.bytes;
    return u;
}

template <class P>
void cache_core<P>::destroy(destroy_strategy strategy) {
    domain_.caches_.forget_name(*this);
    closing_.store(1, std::memory_order_relaxed);
    if (!P::seeded(defect::destroyer_without_heavy_fence)) {
        // [end.1] pairs with the light fence [own.1]: the destroyer finds the record of a thread, or the thread finds
        // the cache closing.
        P::heavy_fence();
    }
    domain_.frees_.visit_records([this](record& r) {
        if (slot* const s = r.slot_of(*this, index); s != nullptr) {
            take_over(*s);
        }
    });
    bool ended = false;
    {
        const lock_hold hold(lock_);
        empty_depot();
        destroyed_ = true;
        ended = found_ended();
    }
    if (ended) {
        complete();
    }
    if (!P::seeded(defect::destroy_leaves_quarantine)) {
        end_quarantine();
    }
    switch (strategy) {
        case destroy_strategy::wait:
            if (!settle()) {
                wait();
            }
            break;
        case destroy_strategy::async:
            domain_.worker_.ensure_started();
            domain_.caches_.settle_later(*this);
            break;
        case destroy_strategy::last_free: break;
    }
}

// The cache is destroyed, so nothing comes to the quarantine any more.
template <class P>
void cache_core<P>::end_quarantine() {
    for (bool more = quarantine_.has_value(); more;) {
        void* object = nullptr;
        {
            const lock_hold hold(lock_);
            object = quarantine_->take_oldest();
            more = quarantined() != 0;
        }
        if (object != nullptr) {
            expect_poison(object);
            put_back(object, false);
        }
    }
}

template <class P>
bool cache_core<P>::found_ended() {
    if (!destroyed_ || slabs_.in_use() != 0 || (completing_ && !P::seeded(defect::last_free_tests_in_two_steps))) {
        return false;
    }
    assert_invariant<P>("K3", [this] { return filled_.empty() && quarantined() == 0; });
    completing_ = true;
    return true;
}

template <class P>
bool cache_core<P>::settle() {
    struct count {
        std::uint64_t held;
        bool in_flight;
    };
    const auto counted = [this] {
        const lock_hold hold(lock_);
        return count{slabs_.in_use(), deferred_ != returned_};
    };
    // A deleter may give objects of the cache to free_rcu, or may be all that holds them, so once is not enough.
    for (std::uint64_t before = counted().held; before != 0;) {
        const bool only_callbacks = P::seeded(defect::destroy_waits_with_rcu_barrier);
        if (only_callbacks) {
            domain_.barrier();
        } else {
            domain_.free_rcu_barrier();
        }
        const count now = counted();
        if (now.held == before && (!now.in_flight || only_callbacks)) {
            return report_held();
        }
        before = now.held;
    }
    return false;
}

template <class P>
bool cache_core<P>::report_held() {
    misuse_report report{misuse::objects_held_at_destroy, "destroy", this, name_};
    {
        const lock_hold hold(lock_);
        if (!destroyed_) {
            return false;
        }
        report.objects = slabs_.in_use();
        if (P::checked()) {
            slabs_.for_each_in_use([&](slab<P>& in_use) {
                for (unsigned i = 0; i != layout_.objects; ++i) {
                    object_state<P>& state = in_use.states(layout_)[i];
                    if (state.use.load(std::memory_order_relaxed) != static_cast<std::uint32_t>(object_use::free)) {
                        report.sites.add(reinterpret_cast<const void*>(state.site.load(std::memory_order_relaxed)));
                    }
                }
            });
        }
    }
    // The last of them may have been freed meanwhile.
    if (report.objects != 0) {
        P::report(report);
    }
    return report.objects != 0;
}

// Nothing is held, and the caller is the only one to find that. After this it touches the cache no more.
template <class P>
void cache_core<P>::complete() {
    // Also where no reader can be in the way: the end runs the user's destructors, so it runs on the driver.
    if (options_.type_stable && P::seeded(defect::slab_released_without_grace_period)) {
        finish();
        return;
    }
    domain_.retire_surely(&end_callback_, &no_object_is_held);
}

template <class P>
void cache_core<P>::no_object_is_held(basic_rcu_head<P>* h) {
    cache_core& self = *static_cast<end_callback*>(h)->owner;
    {
        const lock_hold hold(self.lock_);
        if (self.slabs_in_grace_ != 0 && !P::seeded(defect::destroy_ignores_slabs_in_grace)) {
            self.completed_but_for_slabs_ = true;
            return;
        }
    }
    self.finish();
}

template <class P>
void cache_core<P>::slab_grace_period_over(basic_rcu_head<P>* h) {
    auto* const s = static_cast<slab<P>*>(h);
    cache_core& self = *s->owner;
    self.destroy_slab(s);
    bool last = false;
    {
        const lock_hold hold(self.lock_);
        last = --self.slabs_in_grace_ == 0 && self.completed_but_for_slabs_;
    }
    if (last) {
        self.finish();
    }
}

// On the driver, a grace period after the last object was given back.
template <class P>
void cache_core<P>::finish() {
    slab_list<P> slabs;
    {
        const lock_hold hold(lock_);
        assert_invariant<P>("K4", [this] { return slabs_.in_use() == 0; });
        slabs_.take_all(slabs);
    }
    while (!slabs.empty()) {
        destroy_slab(slabs.pop());
    }
    domain_.caches_.remove(*this);
    completion_.end();
    release();
}

template <class P>
void cache_core<P>::wait() {
    (void)domain_.await_worker(completion_.ended_cell(), &completion<P>::is_set, 0);
}

template <class P>
bool cache_core<P>::wait_for(unsigned milliseconds) {
    return milliseconds == 0 ? ended()
                             : domain_.await_worker(completion_.ended_cell(), &completion<P>::is_set, milliseconds);
}

template <class P>
void cache_core<P>::release() {
    if (completion_.release()) {
        this->~cache_core();
        P::deallocate(this, sizeof(cache_core), alignof(cache_core));
    }
}

template <class P>
cache_core<P>::~cache_core() {
    while (!empties_.empty()) {
        magazine<P>::destroy(empties_.pop_front(), capacity_);
    }
}

}  // namespace quiesce::detail
