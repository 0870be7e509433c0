// A thread gives the domain's reserve back, and no further call is made.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct reserve_is_filled_again {
    static constexpr defect_info defects[] = {
        {defect::reserve_not_armed, "reserve_not_armed", "", "deadlock",
         "Linux, mm/slab_common.c, fill_page_cache_func",
         "the monitor is not armed again while blocks of the reserve are missing"},
        {defect::shrink_not_armed, "shrink_not_armed", "", "deadlock", "Linux, mm/slab_common.c, kfree_rcu_shrink_scan",
         "the monitor is not told that the reserve was given back, which it had just filled"},
    };
    static constexpr std::string_view must_reach[] = {"the reserve is full again"};
    static constexpr scenario_info info{"reserve_is_filled_again",
                                        "a reserve that was given back is filled again without further calls",
                                        "C11",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        1};

    // More than one, so that one step does not do.
    static constexpr unsigned blocks = 2;

    basic_rcu_domain<P> domain;
    signal<P> given_back;

    reserve_is_filled_again() { domain.keep_reserve(blocks); }

    void thread(unsigned i) {
        if (i == 0) {
            domain.shrink();
            given_back.give();
            return;
        }
        if (smallest<P>()) {
            given_back.await();
        }
        drive_frees(domain, [this] { return domain.reserve() == blocks; });
        P::reached(must_reach[0]);
    }

    void finish() {}
};

}  // namespace quiesce::models
