// A thread flushes a domain while the worker runs a task that callbacks know nothing of.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct flush_all_waits_for_tasks {
    static constexpr defect_info defects[] = {
        {defect::flush_skips_tasks, "flush_skips_tasks", "", "data_race assertion",
         "Linux, kernel/workqueue.c, __flush_workqueue", "flush_all does not wait for the worker's tasks"},
        {defect::task_returned_relaxed, "task_returned_relaxed", "", "data_race", "C++20, [atomics.order]",
         "that a task has returned is counted with a relaxed read-modify-write"},
    };
    static constexpr std::string_view must_reach[] = {"all was done"};
    static constexpr scenario_info info{"flush_all_waits_for_tasks",
                                        "flush_all returns after the tasks that the worker was given before",
                                        "C9",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        2};

    basic_rcu_domain<P> domain;
    noted_callback<P> task;

    flush_all_waits_for_tasks() {
        P::name(task.ran, "task.ran");
        domain.run_on_worker(&task, &noted_callback<P>::run);
    }

    void thread(unsigned i) {
        if (i == 0) {
            domain.flush_all();
            P::check(task.ran.get() == 1, "flush_all returned before a task that was queued before it");
            P::reached(must_reach[0]);
        } else {
            (void)domain.settle_step();
        }
    }

    void finish() {}
};

}  // namespace quiesce::models
