// A cache is destroyed right after free_rcu; a worker waits for what is in flight, and must find that nothing is held.
#pragma once

#include "quiesce/basic_cache.hpp"
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
                                        0};

    basic_rcu_domain<P> domain;
    basic_cache<P> cache{domain, cache_named("objects", destroy_strategy::async)};
    departures<P> over;

    void thread(unsigned i) {
        switch (i) {
            case 0: {
                cache.free_rcu(cache.allocate());
                cache.destroy().wait();
                over.leave(domain);
                break;
            }
            case 1: {
                domain.wait_for_settles(0);
                P::check(domain.settle_step(), "a destroyed cache did not reach the worker");
                P::reached("the worker settled the cache");
                over.leave(domain);
                break;
            }
            default: drive_all(domain, over.all(2));
        }
    }

    void finish() {}
};

}  // namespace quiesce::models
