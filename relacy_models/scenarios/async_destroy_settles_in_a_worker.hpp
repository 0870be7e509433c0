// A cache is destroyed right after free_rcu; a worker waits for what is in flight, and must find that nothing is held.
#pragma once

#include <optional>

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct async_destroy_settles_in_a_worker {
    static constexpr defect_info defects[] = {
        {defect::destroy_waits_with_rcu_barrier, "worker_waits_with_rcu_barrier", "D02", "assertion",
         "Babka, 2024, on destroying caches in a worker",
         "the worker waits with rcu_barrier, which free_rcu is not part of"},
    };
    static constexpr std::string_view must_reach[] = {"the worker settled the cache"};
    static constexpr scenario_info info{"async_destroy_settles_in_a_worker",
                                        "a destroy that does not wait ends when what was in flight is freed",
                                        "C4",
                                        3,
                                        defects,
                                        must_reach,
                                        false,
                                        0,
                                        {},
                                        true};

    object_in_flight<P> flight{destroy_strategy::async};
    std::optional<basic_cache_token<P>> end;

    void thread(unsigned i) {
        switch (i) {
            case 0: {
                flight.defer();
                end.emplace(flight.cache.destroy());
                break;
            }
            case 1: {
                flight.domain.wait_for_settles(0);
                P::check(flight.domain.settle_step(), "a destroyed cache did not reach the worker");
                P::reached("the worker settled the cache");
                break;
            }
            default: flight.serve();
        }
    }

    void finish() { P::check(end->poll(), "the cache did not end"); }
};

}  // namespace quiesce::models
