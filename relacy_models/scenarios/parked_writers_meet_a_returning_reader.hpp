// Two writers park on a reader that ends its section and begins the next: one may have passed over it, and the other
// must not take the new section for the old one, of whose end nobody would tell it.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct parked_writers_meet_a_returning_reader : writers_wait_for_a_reader<P, 2, 2> {
    static constexpr defect_info defects[] = {
        {defect::parked_on_the_section, "parked_on_the_section", "", "deadlock",
         "Desnoyers et al., 2012, on the wait of synchronize_rcu",
         "a writer waits until the reader's word changes, which a later section may have changed back"},
    };
    static constexpr std::string_view must_reach[] = {writers_wait_for_a_reader<P, 2, 2>::all_waited};
    static constexpr scenario_info info{"parked_writers_meet_a_returning_reader",
                                        "a writer that waits for a reader returns also when the reader comes back",
                                        "C11",
                                        3,
                                        defects,
                                        must_reach,
                                        false,
                                        0};
};

}  // namespace quiesce::models
