// A type-stable cache has given up a slab, which waits for its grace period, when it is destroyed. The slab's callback
// needs the cache.
#pragma once

#include "quiesce/basic_cache.hpp"
#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct type_stable_destroy_waits_for_its_slabs {
    static constexpr defect_info defects[] = {
        {defect::destroy_ignores_slabs_in_grace, "destroy_ignores_slabs_in_grace", "D16",
         "use_after_free misuse_of_primitive data_race",
         "Linux, mm/slab_common.c, on rcu_barrier in kmem_cache_destroy",
         "the cache ends while slabs of it wait for their grace period", "2 asym"},
    };
    static constexpr std::string_view must_reach[] = {"the slab outlived its last object"};
    static constexpr scenario_info info{"type_stable_destroy_waits_for_its_slabs",
                                        "a type-stable cache ends after the last of its slabs",
                                        "C5",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        1};

    // Dropped before the driver runs on, as a handle is.
    basic_rcu_domain<P> domain;

    void thread(unsigned i) {
        if (i == 0) {
            {
                cache_options options = cache_named("items", destroy_strategy::last_free);
                options.type_stable = true;
                basic_cache<P> cache(domain, options);
                P::move_to_shard(1);
                cache.free(cache.allocate());
                cache.shrink();
                P::reached("the slab outlived its last object");
                // The completion comes to another shard than the slab, so that neither waits behind the other.
                P::move_to_shard(0);
            }
            return;
        }
        drive_all(domain, 2);
    }

    void finish() {
        drain(domain);
        P::check(domain.caches().empty(), "the cache did not end");
    }
};

}  // namespace quiesce::models
