// A reader may hold an object that is freed by its address alone, where each allocation may fail.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct headless_free_falls_back {
    static constexpr defect_info defects[] = {
        {defect::fallback_frees_wrapper_only, "fallback_frees_wrapper_only", "D04", "assertion",
         "Ts'o, 2020, on the race of ext4's online resize, the first version", "the fallback frees its wrapper only"},
        {defect::fallback_links_through_object, "fallback_links_through_object", "D05", "data_race",
         "Rezki and Fernandes, 2020, on headless kvfree_rcu",
         "the fallback links the object through its own memory before the grace period"},
        {defect::deferred_and_freed_inline, "deferred_and_freed_inline", "D06",
         "data_race use_after_free double_free assertion", "Fernandes, 2020, on headless kvfree_rcu",
         "the test whether the object was put in a block is inverted, so what was deferred is freed inline as well"},
    };
    static constexpr std::string_view must_reach[] = {"free_rcu deferred the object", "free_rcu waited in its caller",
                                                      "a reader held the object"};
    static constexpr scenario_info info{
        "headless_free_falls_back",
        "an object without a head is freed once, and not touched before, whatever memory there is",
        "C6",
        2,
        defects,
        must_reach,
        false,
        1,
        {},
        false,
        true};

    struct item {
        // The object's own, at its beginning, where a link would be.
        typename P::template plain<void*> first{nullptr};
        headless_free_falls_back* owner = nullptr;
    };

    basic_rcu_domain<P> domain;
    typename P::template atomic<item*> current{nullptr};
    typename P::template plain<unsigned> freed{0};
    bool calling = false;

    headless_free_falls_back() {
        P::name(current, "current");
        auto* const o = ::new (P::allocate(sizeof(item), alignof(item))) item();
        o->owner = this;
        P::name(o->first, "object.first");
        current.store(o, std::memory_order_relaxed);
    }

    static void free_item(void* p) {
        auto* const o = static_cast<item*>(p);
        headless_free_falls_back& self = *o->owner;
        o->first.set(p);
        self.freed.set(self.freed.get() + 1);
        P::reached(must_reach[self.calling ? 1 : 0]);
        o->~item();
        P::deallocate(o, sizeof(item), alignof(item));
    }

    void thread(unsigned i) {
        if (i == 0) {
            domain.lock();
            if (item* const o = current.load(std::memory_order_acquire); o != nullptr) {
                P::reached(must_reach[2]);
                P::check(o->first.get() == nullptr, "the object was written while a reader held it");
            }
            domain.unlock();
            return;
        }
        item* const o = current.exchange(nullptr, std::memory_order_acq_rel);
        P::let_allocations_fail();
        calling = true;
        domain.free_rcu(o, &free_item);
        calling = false;
        (void)domain.monitor_step();
        (void)domain.advance_grace_period();
        (void)domain.free_step();
    }

    void finish() {
        drain(domain);
        P::check(freed.get() == 1, "the object was not freed exactly once");
    }
};

}  // namespace quiesce::models
