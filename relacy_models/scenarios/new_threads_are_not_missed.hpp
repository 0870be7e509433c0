// A thread defers its first object when the monitor was armed by another one before; the monitor must not miss it.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct new_threads_are_not_missed {
    static constexpr defect_info defects[] = {
        {defect::new_record_only_arms, "new_record_only_arms", "", "deadlock", "C++20, [atomics.order]",
         "a thread that has just been registered is satisfied when it finds the monitor armed", "2"},
        {defect::monitor_asked_relaxed, "monitor_asked_relaxed", "", "deadlock", "C++20, [atomics.order]",
         "the monitor is asked with a relaxed exchange", "2", "explorer"},
    };
    static constexpr std::string_view must_reach[] = {"everything was freed"};
    static constexpr scenario_info info{"new_threads_are_not_missed",
                                        "the monitor finds what a thread deferred first, also when it was armed before",
                                        "C11",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        1};

    basic_rcu_domain<P> domain;
    noted_callback<P> object[2];

    new_threads_are_not_missed() { defer(0); }

    void defer(unsigned n) { domain.free_rcu(static_cast<basic_rcu_head<P>*>(&object[n]), &noted_callback<P>::run); }

    void thread(unsigned i) {
        if (i == 0) {
            defer(1);
            return;
        }
        drive_frees(domain, [this] { return object[0].ran.get() == 1 && object[1].ran.get() == 1; });
        P::reached("everything was freed");
    }

    void finish() {}
};

}  // namespace quiesce::models
