// A cache is destroyed right after free_rcu, by a destroyer that waits: nothing is in flight when it returns.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct destroy_waits_for_frees_in_flight {
    static constexpr defect_info defects[] = {
        {defect::destroy_waits_with_rcu_barrier, "destroy_waits_with_rcu_barrier", "D01", "assertion",
         "McKenney, 2024, on kfree_rcu and rcu_barrier",
         "destroy waits with rcu_barrier, which free_rcu is not part of"},
    };
    static constexpr std::string_view must_reach[] = {"the cache ended in destroy"};
    static constexpr scenario_info info{"destroy_waits_for_frees_in_flight",
                                        "a waiting destroy returns when what was in flight is freed and the cache gone",
                                        "C4",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        0};

    object_in_flight<P> flight{destroy_strategy::wait};

    void thread(unsigned i) {
        if (i == 0) {
            flight.defer();
            const auto end = flight.cache.destroy();
            P::check(end.poll(), "destroy returned before the cache had ended");
            P::reached("the cache ended in destroy");
            return;
        }
        flight.serve();
    }

    void finish() {}
};

}  // namespace quiesce::models
