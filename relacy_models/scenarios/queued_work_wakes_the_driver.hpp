// A driver looks for work, finds none and goes to sleep; a callback that is queued meanwhile must not be left behind.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct queued_work_wakes_the_driver {
    static constexpr defect_info defects[] = {
        {defect::driver_sleeps_on_stale_epoch, "driver_sleeps_on_stale_epoch", "", "deadlock",
         "Linux, mm/slab_common.c, the monitor of kvfree_rcu",
         "the driver takes the number that it sleeps on after it looked for work, not before"},
    };
    static constexpr std::string_view must_reach[] = {"the callback ran"};
    static constexpr scenario_info info{"queued_work_wakes_the_driver",
                                        "a callback that is queued while the driver goes to sleep is run",
                                        "C11",
                                        2,
                                        defects,
                                        must_reach,
                                        true,
                                        2,
                                        {},
                                        false,
                                        true};

    basic_rcu_domain<P> domain;
    noted_callback<P> queued;

    void thread(unsigned i) {
        if (i == 0) {
            domain.retire(&queued, &noted_callback<P>::run);
        } else {
            drive(domain, [this] { return queued.ran.get() == 1; });
        }
    }

    void finish() {
        if (queued.ran.get() == 1) {
            P::reached("the callback ran");
        }
    }
};

}  // namespace quiesce::models
