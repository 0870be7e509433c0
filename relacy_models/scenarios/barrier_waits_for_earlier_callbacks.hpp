// A thread retires objects on two shards, then waits in rcu_barrier: all of its callbacks have finished at the return.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct barrier_waits_for_earlier_callbacks {
    static constexpr defect_info defects[] = {
        {defect::barrier_skips_running_shard, "barrier_skips_running_shard", "D22", "data_race assertion",
         "Linux, mm/slab_common.c, kvfree_rcu_barrier",
         "the barrier skips a shard whose lists are empty while its callbacks run"},
        {defect::barrier_only_own_shard, "barrier_only_own_shard", "D23", "data_race assertion",
         "Linux, mm/slab_common.c, kvfree_rcu_barrier",
         "the barrier considers only the shard on which its caller is now", "2 asym"},
        {defect::barrier_counts_while_queueing, "barrier_counts_while_queueing", "", "data_race assertion",
         "McKenney, 2007, on RCU and unloadable modules",
         "a marker may complete the count before the last one is queued", "2 asym"},
        {defect::marker_reached_relaxed, "marker_reached_relaxed", "", "data_race", "C++20, [atomics.order]",
         "a marker counts down with a relaxed read-modify-write"},
    };
    static constexpr std::string_view must_reach[] = {"the barrier waited for callbacks"};
    static constexpr scenario_info info{"barrier_waits_for_earlier_callbacks",
                                        "rcu_barrier returns after every callback queued before it, on whichever shard",
                                        "C2",
                                        2,
                                        defects,
                                        must_reach};

    basic_rcu_domain<P> domain;
    struct callback : basic_rcu_head<P> {
        // Unordered but for what the barrier orders.
        typename P::template plain<unsigned> finished{0};
        // A step inside the callback, where the barrier may find it running.
        typename P::template atomic<unsigned> step{0};
    };
    callback here;
    callback elsewhere;

    signal<P> elsewhere_queued;

    barrier_waits_for_earlier_callbacks() {
        P::name(here.finished, "here.finished");
        P::name(elsewhere.finished, "elsewhere.finished");
    }

    static void run(basic_rcu_head<P>* h) {
        auto* const c = static_cast<callback*>(h);
        c->step.store(1, std::memory_order_relaxed);
        c->finished.set(1);
    }

    void thread(unsigned i) {
        if (i == 0) {
            // To the shard that is served first, so that what it waits for may be done while the other's is not.
            P::move_to_shard(1);
            domain.retire(&elsewhere, &run);
            P::move_to_shard(0);
            elsewhere_queued.give();
            domain.retire(&here, &run);
            domain.barrier();
            P::check(here.finished.get() == 1, "the barrier returned before a callback had finished");
            P::check(elsewhere.finished.get() == 1, "the barrier returned before a callback of another shard");
            P::reached("the barrier waited for callbacks");
            return;
        }
        elsewhere_queued.await();
        drive(domain, [this] { return here.finished.get() == 1 && elsewhere.finished.get() == 1; });
        // The barrier's markers, where they came behind the callbacks.
        run_callbacks(domain);
    }

    void finish() {}
};

}  // namespace quiesce::models
