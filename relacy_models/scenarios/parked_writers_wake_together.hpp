// Two writers park on one reader. Whichever is woken first passes over the reader; the other must not be left behind.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct parked_writers_wake_together : writers_wait_for_a_reader<P, 2, 1> {
    static constexpr defect_info defects[] = {
        {defect::passed_over_without_waking, "passed_over_without_waking", "", "deadlock",
         "Desnoyers et al., 2012, on the wait of synchronize_rcu",
         "a writer that passes over a reader takes back the mark that somebody waits, and does not wake the others"},
    };
    static constexpr std::string_view must_reach[] = {writers_wait_for_a_reader<P, 2, 1>::all_waited};
    static constexpr scenario_info info{"parked_writers_wake_together",
                                        "every writer that waits for a reader returns when its section ends",
                                        "C11",
                                        3,
                                        defects,
                                        must_reach,
                                        false,
                                        1};
};

}  // namespace quiesce::models
