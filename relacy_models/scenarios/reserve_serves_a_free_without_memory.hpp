// An object is freed inside a section, where each allocation may fail, and the driver frees it.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct reserve_serves_a_free_without_memory {
    static constexpr defect_info defects[] = {
        {defect::reserve_not_used, "reserve_not_used", "", "assertion",
         "Rezki, 2020, on headless kvfree_rcu, where a mempool is proposed", "the reserve is not used"},
    };
    static constexpr std::string_view must_reach[] = {"the object was freed in a batch"};
    static constexpr scenario_info info{"reserve_serves_a_free_without_memory",
                                        "a free that finds no memory is served by the reserve, also inside a section",
                                        "C6",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        1};

    basic_rcu_domain<P> domain;
    noted_callback<P> object;
    signal<P> deferred;

    reserve_serves_a_free_without_memory() { domain.keep_reserve(1); }

    void thread(unsigned i) {
        if (i == 0) {
            domain.lock();
            P::let_allocations_fail();
            P::check(domain.try_free_rcu(&object, &noted_callback<P>::run_headless), "the reserve did not serve");
            deferred.give();
            domain.unlock();
            return;
        }
        deferred.await();
        drive_frees(domain, [this] { return object.ran.get() == 1; });
        P::reached(must_reach[0]);
    }

    void finish() {
        drain(domain);
        P::check(object.ran.get() == 1, "the object was not freed exactly once");
        P::check(domain.reserve() == 1, "the reserve is not full again");
    }
};

}  // namespace quiesce::models
