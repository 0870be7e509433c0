// An object is given to free_rcu while a reader may hold it.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct free_rcu_waits_for_readers {
    static constexpr defect_info defects[] = {
        {defect::batch_freed_without_grace_period, "batch_freed_without_grace_period", "",
         "data_race use_after_free assertion", "Linux, mm/slab_common.c, kfree_rcu_work",
         "a batch is freed before its grace period is over"},
    };
    static constexpr std::string_view must_reach[] = {"a reader held the object"};
    static constexpr scenario_info info{"free_rcu_waits_for_readers",
                                        "free_rcu frees an object, once, after the sections that may have found it",
                                        "C1",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        1};

    using item = object<P>;

    basic_rcu_domain<P> domain;
    typename P::template atomic<item*> current{item::create(1)};

    free_rcu_waits_for_readers() { P::name(current, "current"); }

    void thread(unsigned i) {
        if (i == 0) {
            read_in_section(domain, current, must_reach[0]);
            return;
        }
        item* const o = current.exchange(nullptr, std::memory_order_acq_rel);
        domain.free_rcu(o, &item::free_headless);
        (void)domain.monitor_step();
        (void)domain.advance_grace_period();
        (void)domain.free_step();
    }

    void finish() { drain(domain); }
};

}  // namespace quiesce::models
