// The monitor has taken an object from its thread and is on the way to a batch with it when the thread calls
// free_rcu_barrier.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct free_rcu_barrier_waits_for_monitor {
    static constexpr defect_info defects[] = {
        {defect::collected_before_handed_over, "collected_before_handed_over", "D26", "data_race assertion",
         "Linux, mm/slub.c, review of the sheaves of kfree_rcu, 2025",
         "the monitor takes objects from a thread and hands them over in two steps for another flusher"},
        {defect::barrier_skips_shard_without_pending, "barrier_skips_shard_without_pending", "D22",
         "data_race assertion", "Linux, mm/slab_common.c, kvfree_rcu_barrier",
         "the barrier skips a shard that has nothing pending while its batches hold objects"},
        {defect::free_barrier_does_not_collect, "free_barrier_does_not_collect", "", "data_race assertion",
         "McKenney, 2024, on kfree_rcu and rcu_barrier", "the barrier does not look into what threads still collect"},
    };
    static constexpr std::string_view must_reach[] = {"the barrier met the monitor"};
    static constexpr scenario_info info{"free_rcu_barrier_waits_for_monitor",
                                        "free_rcu_barrier waits also for objects that the monitor is moving",
                                        "C3",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        1};

    basic_rcu_domain<P> domain;
    noted_callback<P> object;
    // Only for the label.
    typename P::template atomic<unsigned> barrier_began{0};

    free_rcu_barrier_waits_for_monitor() {
        P::name(object.ran, "object.freed");
        domain.free_rcu(&object, &noted_callback<P>::run_headless);
    }

    void thread(unsigned i) {
        if (i == 0) {
            barrier_began.store(1, std::memory_order_relaxed);
            domain.free_rcu_barrier();
            P::check(object.ran.get() == 1, "the barrier returned before an object was freed");
            return;
        }
        const unsigned before = barrier_began.load(std::memory_order_relaxed);
        if (domain.monitor_step() && before == 0 && barrier_began.load(std::memory_order_relaxed) == 1) {
            P::reached("the barrier met the monitor");
        }
        drive_frees(domain, [this] { return object.ran.get() == 1; });
    }

    void finish() {}
};

}  // namespace quiesce::models
