// Two threads give objects to the same first stage; one of them then runs its callback. Whoever is not the owner of the
// stage leaves its object to the owner, who may be ending.
#pragma once

#include "relacy_models/scenarios/staged_support.hpp"

namespace quiesce::models {

template <class P>
struct staged_frees_meet : staged_setting<P> {
    static constexpr defect_info defects[] = {
        {defect::stage_ends_without_looking, "stage_ends_without_looking", "", "assertion",
         "Starovoitov, 2023, on bpf_mem_free_rcu: __free_by_rcu",
         "a callback ends its stage without looking whether more has come"},
        {defect::stage_ended_relaxed, "stage_ended_relaxed", "", "data_race", "C++20, [atomics.order]",
         "a callback ends its stage with a relaxed store"},
        {defect::batch_added_relaxed, "batch_added_relaxed", "", "data_race", "C++20, [atomics.order]",
         "objects are added to a list with a relaxed compare-exchange"},
    };
    static constexpr std::string_view must_reach[] = {"both threads had been there"};
    static constexpr scenario_info info{"staged_frees_meet",
                                        "of what several threads give to a stage nothing is lost and nothing stranded",
                                        "C11",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        1,
                                        {},
                                        false,
                                        true};

    using object = staged_object<P>;
    object* const one;
    object* const another;
    // Only for the label.
    typename P::template atomic<unsigned> came{0};

    staged_frees_meet() : staged_setting<P>(staged_destroy::draining), one(this->make(0)), another(this->make(1)) {}

    void thread(unsigned i) {
        if (i == 0) {
            this->cache->free_rcu(one);
            run_callbacks(this->first);
        } else {
            this->cache->free_rcu(another);
        }
        if (came.fetch_add(1, std::memory_order_relaxed) != 0) {
            P::reached(must_reach[0]);
        }
    }

    void finish() {
        run_callbacks(this->first);
        run_callbacks(this->tasks);
        P::check(this->returned(0) && this->returned(1), "an object was not returned exactly once");
        (void)this->cache->destroy();
        this->check_ended(2);
    }
};

}  // namespace quiesce::models
