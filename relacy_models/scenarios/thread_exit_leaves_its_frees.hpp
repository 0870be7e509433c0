// A thread defers objects and exits: they are freed all the same.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct thread_exit_leaves_its_frees {
    static constexpr defect_info defects[] = {
        {defect::thread_exit_drops_frees, "thread_exit_drops_frees", "D29", "leak assertion",
         "Linux, mm/slab_common.c, kfree_rcu_scheduler_running and CPU hotplug",
         "a thread that exits drops the block that it was filling"},
    };
    static constexpr std::string_view must_reach[] = {"the monitor came after the exit"};
    static constexpr scenario_info info{"thread_exit_leaves_its_frees",
                                        "what a thread deferred before it exited is freed",
                                        "C9",
                                        2,
                                        defects,
                                        must_reach};

    basic_rcu_domain<P> domain;
    noted_callback<P> object[2];

    void thread(unsigned i) {
        if (i == 0) {
            domain.free_rcu(&object[0], &noted_callback<P>::run_headless);
            return;
        }
        // Whatever there is at this moment; the exit may come before, between or after.
        domain.monitor_step();
        (void)domain.advance_grace_period();
        domain.free_step();
    }

    void finish() {
        if (object[0].ran.get() == 0) {
            P::reached("the monitor came after the exit");
        }
        // A later thread, which takes the record over.
        domain.free_rcu(&object[1], &noted_callback<P>::run_headless);
        drain(domain);
        P::check(object[0].ran.get() == 1, "what an exited thread deferred was not freed exactly once");
        P::check(object[1].ran.get() == 1, "what a later thread deferred was not freed exactly once");
    }
};

}  // namespace quiesce::models
