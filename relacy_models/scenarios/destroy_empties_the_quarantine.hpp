// A cache with a quarantine is destroyed while one of its objects is in there and another is just being freed.
#pragma once

#include "quiesce/basic_cache.hpp"
#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct destroy_empties_the_quarantine {
    static constexpr defect_info defects[] = {
        {defect::destroy_leaves_quarantine, "destroy_leaves_quarantine", "D30", "assertion",
         "Babka, 2024, on asynchronous kmem_cache_destroy, kasan_cache_shutdown",
         "destroy does not give back what is in the quarantine"},
        {defect::quarantined_after_destroy, "quarantined_after_destroy", "", "assertion",
         "Babka, 2024, on asynchronous kmem_cache_destroy, kasan_cache_shutdown",
         "an object that is freed after destroy emptied the quarantine goes there"},
    };
    static constexpr std::string_view must_reach[] = {"an object was freed after destroy"};
    static constexpr scenario_info info{"destroy_empties_the_quarantine",
                                        "a destroyed cache gives back what is quarantined, and ends",
                                        "C4",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        1};

    basic_rcu_domain<P> domain;
    basic_cache<P> cache{domain, [] {
                             cache_options o = cache_named("objects", destroy_strategy::last_free);
                             o.quarantine_bytes = 2 * o.size;
                             return o;
                         }()};
    void* const freed = cache.allocate();
    void* const held = cache.allocate();
    signal<P> destroyed;

    destroy_empties_the_quarantine() { cache.free(freed); }

    void thread(unsigned i) {
        if (i == 0) {
            (void)cache.destroy();
            destroyed.give();
        } else {
            if (P::choose(2) != 0) {
                destroyed.await();
                P::reached("an object was freed after destroy");
            }
            cache.free(held);
        }
    }

    void finish() {
        drain(domain);
        P::check(cache.destroy().poll(), "a cache did not end whose objects were all freed");
    }
};

}  // namespace quiesce::models
