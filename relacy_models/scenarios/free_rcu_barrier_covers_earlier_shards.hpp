// A thread hands objects to one shard, moves to another, and waits in free_rcu_barrier: all of its objects are freed.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct free_rcu_barrier_covers_earlier_shards {
    static constexpr defect_info defects[] = {
        {defect::free_barrier_only_own_shard, "free_barrier_only_own_shard", "D23", "data_race assertion",
         "Linux, mm/slab_common.c, kvfree_rcu_barrier",
         "the barrier considers only the shard on which its caller is now", "2 asym"},
        {defect::barrier_skips_shard_without_pending, "barrier_skips_shard_without_pending", "D22",
         "data_race assertion", "Linux, mm/slab_common.c, kvfree_rcu_barrier",
         "the barrier skips a shard that has nothing pending while its batches hold objects"},
        {defect::shard_drained_relaxed, "shard_drained_relaxed", "", "data_race", "C++20, [atomics.order]",
         "a shard that is drained counts down with a relaxed read-modify-write"},
    };
    static constexpr std::string_view must_reach[] = {"the barrier covered both shards"};
    static constexpr scenario_info info{
        "free_rcu_barrier_covers_earlier_shards",
        "free_rcu_barrier returns after every object given to free_rcu before it, on whichever shard, is freed",
        "C3",
        2,
        defects,
        must_reach,
        false,
        0};

    static constexpr unsigned objects = 3;

    basic_rcu_domain<P> domain;
    // Unordered but for what the barrier orders.
    noted_callback<P> object[objects];
    signal<P> deferred;

    free_rcu_barrier_covers_earlier_shards() {
        for (noted_callback<P>& o : object) {
            P::name(o.ran, "object.freed");
        }
    }

    void thread(unsigned i) {
        if (i == 0) {
            // Enough that a full block was handed over before the thread moves.
            for (noted_callback<P>& o : object) {
                domain.free_rcu(&o, &noted_callback<P>::run_headless);
            }
            P::move_to_shard(1);
            deferred.give();
            domain.free_rcu_barrier();
            for (noted_callback<P>& o : object) {
                P::check(o.ran.get() == 1, "the barrier returned before an object was freed");
            }
            P::reached("the barrier covered both shards");
            return;
        }
        deferred.await();
        drive_frees(domain, [this] { return all_freed(); });
    }

    bool all_freed() {
        for (noted_callback<P>& o : object) {
            if (o.ran.get() != 1) {
                return false;
            }
        }
        return true;
    }

    void finish() {}
};

}  // namespace quiesce::models
