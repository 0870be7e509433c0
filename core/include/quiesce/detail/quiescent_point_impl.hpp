// Definition of basic_rcu_domain: the quiescent point of a domain of one thread.
//
// Outside sections the only thread is quiescent, so a grace period takes one step. What makes the order of the steps
// below matter is which callbacks and deleters the point is for: those that were there before it. So the monitor
// collects once, before any user code runs, and one call runs all callbacks that may run by then. A callback that
// queues itself again is therefore met once, and no recursion can come about.
#pragma once

#include <limits>

#include "quiesce/rcu_domain.hpp"

namespace quiesce {

template <platform P>
void basic_rcu_domain<P>::quiescent_point() requires detail::one_thread<P> {
    if (refuse(misuse::quiescent_point_in_section, misuse::quiescent_point_in_callback, "quiescent_point")) {
        return;
    }
    const auto free_batches = [this] {
        while (advance_grace_period() == step_result::completed) {
        }
        while (free_step() != 0) {
        }
    };
    // Before the monitor's step there is something only if the caller has taken steps by hand; then the slots must be
    // empty for what it collects.
    free_batches();
    do {
        (void)monitor_step();
        free_batches();
    } while (run_callbacks(std::numeric_limits<unsigned>::max()) != 0 &&
             P::seeded(defect::quiescent_point_serves_itself));
    while (caches_.settle_next()) {
    }
    tasks_.run_all();
}

}  // namespace quiesce
