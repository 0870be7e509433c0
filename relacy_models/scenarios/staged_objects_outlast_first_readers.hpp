// A reader of the first domain finds an object that is given to free_rcu.
#pragma once

#include "relacy_models/scenarios/staged_support.hpp"

namespace quiesce::models {

template <class P>
struct staged_objects_outlast_first_readers : staged_object_meets_a_reader<P> {
    static constexpr defect_info defects[] = {
        {defect::first_stage_skipped, "first_stage_skipped", "", "data_race",
         "Starovoitov, 2023, on bpf_mem_free_rcu: the life cycle of objects",
         "an object that is given to free_rcu goes straight to the second stage"},
    };
    static constexpr std::string_view must_reach[] = {staged_object_meets_a_reader<P>::reader_found_it};
    static constexpr scenario_info info{"staged_objects_outlast_first_readers",
                                        "an object is returned after the sections of the first domain that may hold it",
                                        "C10",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        0,
                                        "1 2"};

    staged_objects_outlast_first_readers() : staged_object_meets_a_reader<P>(&staged_setting<P>::first) {}
};

}  // namespace quiesce::models
