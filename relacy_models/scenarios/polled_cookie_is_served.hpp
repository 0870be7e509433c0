// A thread asks for a grace period and does not wait; the driver, which may be falling asleep, must hear of it.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct polled_cookie_is_served {
    static constexpr defect_info defects[] = {
        {defect::work_announced_relaxed, "work_announced_relaxed", "", "deadlock", "C++20, [atomics.order]",
         "work is announced with a relaxed read-modify-write, so the driver may hear of it and not find it"},
    };
    static constexpr std::string_view must_reach[] = {"the grace period ended"};
    static constexpr scenario_info info{"polled_cookie_is_served",
                                        "a grace period that somebody asked for comes without further calls",
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

    void thread(unsigned i) {
        if (i == 0) {
            (void)domain.start_poll();
            return;
        }
        for (;;) {
            const std::uint64_t epoch = domain.work_epoch();
            const step_result step = domain.advance_grace_period();
            if (step == step_result::completed) {
                P::reached("the grace period ended");
                return;
            }
            domain.wait_for_work(epoch, 0);
        }
    }

    void finish() {}
};

}  // namespace quiesce::models
