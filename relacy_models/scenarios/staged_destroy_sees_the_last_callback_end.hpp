// A staged cache is destroyed while its last callback runs: if the destroyer finds that it has ended, the memory may
// go.
#pragma once

#include "relacy_models/scenarios/staged_support.hpp"

namespace quiesce::models {

template <class P>
struct staged_destroy_sees_the_last_callback_end : staged_destroy_meets_a_callback<P> {
    static constexpr defect_info defects[] = {
        {defect::stage_ended_relaxed, "stage_ended_relaxed", "", "data_race use_after_free misuse_of_primitive",
         "C++20, [atomics.order]", "a callback ends its stage with a relaxed store", "1 2 asym", "explorer"},
    };
    static constexpr std::string_view must_reach[] = {found_in_flight, ended_at_once};
    static constexpr scenario_info info{"staged_destroy_sees_the_last_callback_end",
                                        "all that a staged cache's last callback did happens before the cache's end",
                                        "C10",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        1,
                                        {},
                                        false,
                                        true};

    staged_destroy_sees_the_last_callback_end()
        : staged_destroy_meets_a_callback<P>(staged_destroy::order, &staged_setting<P>::tasks) {
        this->put_in_second_stage(this->make(0));
        (void)this->tasks.advance_grace_period();
    }

    void finish() { this->check_ended(1); }
};

}  // namespace quiesce::models
