// A thread that waits in synchronize drives the grace period itself. The driver, which found it busy and went to sleep,
// must hear that callbacks may now run.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct driver_is_told_of_foreign_grace_period {
    static constexpr defect_info defects[] = {
        {defect::driver_not_told_of_foreign_grace_period, "driver_not_told_of_foreign_grace_period", "", "deadlock",
         "found by this suite in its own core", "a thread that ended a grace period itself does not tell the driver"},
    };
    static constexpr std::string_view must_reach[] = {"the callback ran"};
    static constexpr scenario_info info{
        "driver_is_told_of_foreign_grace_period",
        "no callback is stranded when another thread than the driver ends its grace period",
        "C11",
        2,
        defects,
        must_reach};

    basic_rcu_domain<P> domain;
    noted_callback<P> queued;

    void thread(unsigned i) {
        if (i == 0) {
            domain.retire(&queued, &noted_callback<P>::run);
            domain.synchronize();
            return;
        }
        drive(domain, [this] { return queued.ran.get() == 1; });
    }

    void finish() {
        if (queued.ran.get() == 1) {
            P::reached("the callback ran");
        }
    }
};

}  // namespace quiesce::models
