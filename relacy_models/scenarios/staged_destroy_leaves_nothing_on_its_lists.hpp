// A staged cache is destroyed with a second-stage callback in flight, while a first-stage callback adds to the same
// second stage: to a list that the destroyer may have taken already.
#pragma once

#include "relacy_models/scenarios/staged_support.hpp"

namespace quiesce::models {

template <class P>
struct staged_destroy_leaves_nothing_on_its_lists : staged_destroy_meets_a_callback<P> {
    static constexpr defect_info defects[] = {
        {defect::stage_ends_without_looking, "batch_left_on_the_drained_list", "D10", "assertion",
         "Hou Tao, 2023, review of bpf_mem_free_rcu: the objects in c->free_by_rcu_ttrace may be leaked",
         "a callback that finds another one in progress leaves its batch on the list, which destroy has drained, and "
         "that one ends without looking again"},
    };
    static constexpr std::string_view must_reach[] = {found_in_flight};
    static constexpr scenario_info info{"staged_destroy_leaves_nothing_on_its_lists",
                                        "what is added to a list after destroy has drained it is returned too",
                                        "C10",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        0};

    staged_destroy_leaves_nothing_on_its_lists()
        : staged_destroy_meets_a_callback<P>(staged_destroy::draining, &staged_setting<P>::first) {
        auto* const one = this->make(0);
        auto* const another = this->make(1);
        this->put_in_second_stage(one);
        this->free_elsewhere(another);
        (void)this->first.advance_grace_period();
    }

    void finish() { this->check_ended(2); }
};

}  // namespace quiesce::models
