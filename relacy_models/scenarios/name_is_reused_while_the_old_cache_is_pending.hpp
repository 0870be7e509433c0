// A cache is destroyed while an object of it is held, and another of the same name is made. Each keeps its own objects.
#pragma once

#include "quiesce/basic_cache.hpp"
#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct name_is_reused_while_the_old_cache_is_pending {
    static constexpr defect_info defects[] = {
        {defect::name_kept_while_pending, "name_kept_while_pending", "", "assertion",
         "Linux, mm/slab_common.c, kmem_cache_destroy", "a destroyed cache keeps its name until it has ended"},
    };
    static constexpr std::string_view must_reach[] = {"the old cache was pending beside the new one"};
    static constexpr scenario_info info{"name_is_reused_while_the_old_cache_is_pending",
                                        "a destroyed cache frees its name at once and ends by itself",
                                        "C4",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        0};

    basic_rcu_domain<P> domain;
    basic_cache<P> old{domain, cache_named("objects", destroy_strategy::last_free)};
    void* const held = old.allocate();

    void thread(unsigned i) {
        if (i == 0) {
            const auto end = old.destroy();
            P::check(!domain.cache_named("objects").has_value(), "the name is still taken");
            if (P::seeded(defect::name_kept_while_pending)) {
                return;
            }
            basic_cache<P> fresh(domain, cache_named("objects", destroy_strategy::last_free));
            if (!end.poll()) {
                P::reached("the old cache was pending beside the new one");
            }
            void* const object = fresh.allocate();
            P::check(object != held, "two caches handed out the same object");
            fresh.free(object);
        } else {
            old.free(held);
        }
    }

    void finish() {
        drain(domain);
        P::check(old.destroy().poll(), "the old cache did not end");
        P::check(domain.caches().empty(), "a cache is still listed");
    }
};

}  // namespace quiesce::models
