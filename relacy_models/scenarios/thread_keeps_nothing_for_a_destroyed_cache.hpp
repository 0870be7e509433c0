// A thread gives its first object back to a cache while another destroys it. The object must not stay in a magazine
// that nobody looks for any more.
#pragma once

#include "quiesce/basic_cache.hpp"
#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct thread_keeps_nothing_for_a_destroyed_cache {
    static constexpr defect_info defects[] = {
        {defect::thread_attaches_to_closing_cache, "thread_attaches_to_closing_cache", "", "assertion",
         "Linux, mm/slub.c, flush_all_cpus_locked in __kmem_cache_shutdown",
         "a thread begins to keep magazines for a cache that is being destroyed"},
        {defect::destroyer_without_heavy_fence, "destroyer_without_heavy_fence", "", "assertion",
         "Linux, man page of membarrier(2)",
         "the destroyer reads the list of threads without a heavy fence after it says that the cache is closing"},
    };
    static constexpr std::string_view must_reach[] = {"the cache ended"};
    static constexpr scenario_info info{"thread_keeps_nothing_for_a_destroyed_cache",
                                        "every object that is given back counts for the end of the cache",
                                        "C4",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        1,
                                        {},
                                        false,
                                        true};

    basic_rcu_domain<P> domain;
    basic_cache<P> cache{domain, cache_named("objects", destroy_strategy::last_free)};
    void* const held = cache.allocate();

    void thread(unsigned i) {
        if (i == 0) {
            cache.free(held);
        } else {
            (void)cache.destroy();
        }
    }

    void finish() {
        drain(domain);
        P::check(cache.destroy().poll(), "the cache did not end");
        P::reached("the cache ended");
    }
};

}  // namespace quiesce::models
