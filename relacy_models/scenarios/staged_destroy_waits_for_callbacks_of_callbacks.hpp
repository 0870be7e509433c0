// A staged cache is destroyed with a second-stage callback in flight that will find more to do and queue itself again,
// behind the barrier that waits for it.
#pragma once

#include "relacy_models/scenarios/staged_support.hpp"

namespace quiesce::models {

template <class P>
struct staged_destroy_waits_for_callbacks_of_callbacks : staged_setting<P> {
    static constexpr defect_info defects[] = {
        {defect::destroy_waits_one_round, "destroy_waits_one_round", "", "use_after_free misuse_of_primitive",
         "Linux, Documentation/RCU/rcubarrier.rst: a callback that queues itself again",
         "the destroyer waits for both domains' callbacks once, and does not read the counters again"},
    };
    static constexpr std::string_view must_reach[] = {"the worker ended the cache"};
    static constexpr scenario_info info{"staged_destroy_waits_for_callbacks_of_callbacks",
                                        "a staged cache ends after the callbacks that its callbacks queue",
                                        "C10",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        0,
                                        "1 2"};

    staged_destroy_waits_for_callbacks_of_callbacks() : staged_setting<P>(staged_destroy::order) {
        auto* const one = this->make(0);
        auto* const another = this->make(1);
        this->put_in_second_stage(one);
        // Its callback finds the other one's in progress.
        this->put_in_second_stage(another);
        (void)this->cache->destroy();
    }

    void thread(unsigned i) {
        if (i == 0) {
            P::check(this->first.settle_step(), "a destroyed cache did not reach the worker");
            P::reached(must_reach[0]);
            run_callbacks(this->first);
        } else {
            // Until nothing is queued: a barrier that comes later finds nothing to wait for.
            run_callbacks(this->tasks);
        }
    }

    void finish() { this->check_ended(2); }
};

}  // namespace quiesce::models
