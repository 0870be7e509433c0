// Two threads use a cache where each of their allocations may fail.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct exhaustion_loses_no_object {
    static constexpr defect_info defects[] = {
        {defect::magazine_dropped_without_slot, "magazine_dropped_without_slot", "", "assertion leak",
         "Bonwick and Adams, 2001, on magazines",
         "a thread that has no memory for its slots drops the magazine that it wanted to keep"},
    };
    static constexpr std::string_view must_reach[] = {"an allocation failed", "the cache ended"};
    static constexpr scenario_info info{"exhaustion_loses_no_object",
                                        "no object of a cache is lost where allocations fail",
                                        "C4 C6",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        0};

    basic_rcu_domain<P> domain;
    basic_cache<P> cache{domain, cache_named("objects", destroy_strategy::last_free)};
    void* held = cache.allocate();
    signal<P> allocated;

    void thread(unsigned i) {
        if (i == 0) {
            P::let_allocations_fail();
            // Enough that a slab is needed.
            for (unsigned n = 0; n != P::limits().slab_objects; ++n) {
                if (void* const o = cache.allocate(); o != nullptr) {
                    cache.free_rcu(o);
                } else {
                    P::reached(must_reach[0]);
                }
            }
            allocated.give();
            return;
        }
        if (smallest<P>()) {
            allocated.await();
        }
        P::let_allocations_fail();
        cache.free(held);
    }

    void finish() {
        drain(domain);
        const auto end = cache.destroy();
        drain(domain);
        P::check(end.poll(), "the cache did not end: an object is lost");
        P::reached(must_reach[1]);
    }
};

}  // namespace quiesce::models
