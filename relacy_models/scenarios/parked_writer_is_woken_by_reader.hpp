// A writer that waits for a reader parks; the reader that ends its section must wake it.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct parked_writer_is_woken_by_reader : writers_wait_for_a_reader<P, 1, 1> {
    static constexpr defect_info defects[] = {
        {defect::park_without_heavy_fence, "park_without_heavy_fence", "", "deadlock",
         "Desnoyers et al., 2012, on the wait of synchronize_rcu",
         "the writer parks without a heavy fence after saying that it waits"},
        {defect::unlock_without_light_fence, "unlock_without_light_fence", "", "deadlock",
         "Desnoyers et al., 2012, on the wait of synchronize_rcu",
         "the reader tests for a parked writer without a light fence after ending its section"},
        {defect::unlock_tests_waited_first, "unlock_tests_waited_first", "", "deadlock",
         "Desnoyers et al., 2012, on the wait of synchronize_rcu",
         "the reader tests for a parked writer before it ends its section"},
    };
    static constexpr std::string_view must_reach[] = {writers_wait_for_a_reader<P, 1, 1>::all_waited};
    static constexpr scenario_info info{"parked_writer_is_woken_by_reader",
                                        "a grace period that waits for a reader ends when the reader's section does",
                                        "C11",
                                        2,
                                        defects,
                                        must_reach};
};

}  // namespace quiesce::models
