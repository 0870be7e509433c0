// Two held objects are freed while their cache is destroyed: whichever call comes last ends it, and only that one.
#pragma once

#include "quiesce/basic_cache.hpp"
#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct last_free_ends_the_cache {
    static constexpr defect_info defects[] = {
        {defect::last_free_tests_in_two_steps, "last_free_tests_in_two_steps", "D03", "assertion data_race",
         "Donenfeld, 2024, on a should_destroy flag in kmem_cache",
         "whether objects are left and whether the cache is destroyed are not one atomic decision"},
    };
    static constexpr std::string_view must_reach[] = {"the cache ended"};
    static constexpr scenario_info info{"last_free_ends_the_cache",
                                        "of destroy and the frees of held objects exactly one ends the cache",
                                        "C4",
                                        3,
                                        defects,
                                        must_reach,
                                        false,
                                        0};

    basic_rcu_domain<P> domain;
    basic_cache<P> cache{domain, cache_named("objects", destroy_strategy::last_free)};
    const unsigned objects = smallest<P>() ? 1 : 2;
    void* held[2];
    unsigned ends = 0;

    last_free_ends_the_cache() {
        for (unsigned i = 0; i != objects; ++i) {
            held[i] = cache.allocate();
        }
    }

    void thread(unsigned i) {
        if (i < objects) {
            cache.free(held[i]);
        } else if (i == 2) {
            cache.destroy().on_end([](void* self) { ++static_cast<last_free_ends_the_cache*>(self)->ends; }, this);
        }
    }

    void finish() {
        drain(domain);
        P::check(ends == 1, "the cache did not end exactly once");
        P::reached("the cache ended");
    }
};

}  // namespace quiesce::models
