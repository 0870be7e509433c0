// Objects are deferred while the monitor looks and falls asleep; no further call is made. All must be freed.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct nothing_deferred_is_stranded {
    static constexpr defect_info defects[] = {
        {defect::armed_cleared_after_test, "armed_cleared_after_test", "D24", "deadlock",
         "Linux, mm/slab_common.c, kfree_rcu_monitor", "the monitor clears its armed flag after it has looked"},
        {defect::sleeper_tested_before_announcing, "sleeper_tested_before_announcing", "", "deadlock",
         "Linux, kernel/sched/wait.c", "whether the driver sleeps is tested before the work is announced"},
        {defect::owner_leaves_without_light_fence, "owner_leaves_without_light_fence", "", "deadlock",
         "Dice, Huang and Yang, 2001, on asymmetric synchronisation",
         "an owner leaves its array and tests for a flusher without a fence between"},
    };
    static constexpr std::string_view must_reach[] = {"everything was freed"};
    static constexpr scenario_info info{"nothing_deferred_is_stranded",
                                        "every deferred object is freed without further calls",
                                        "C11",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        2,
                                        {},
                                        false,
                                        true};

    basic_rcu_domain<P> domain;
    noted_callback<P> object[2];
    signal<P> begun;

    void thread(unsigned i) {
        if (i == 0) {
            for (noted_callback<P>& o : object) {
                domain.free_rcu(static_cast<basic_rcu_head<P>*>(&o), &noted_callback<P>::run);
                begun.give();
            }
            return;
        }
        if (smallest<P>()) {
            begun.await();
        }
        drive_frees(domain, [this] { return object[0].ran.get() == 1 && object[1].ran.get() == 1; });
        P::reached("everything was freed");
    }

    void finish() {}
};

}  // namespace quiesce::models
