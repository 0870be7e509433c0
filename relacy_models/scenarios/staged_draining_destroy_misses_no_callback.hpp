// A staged cache is destroyed while a first-stage callback adds to a second stage. Either the callback finds that the
// cache is draining and starts no callback, or the destroyer finds the counter and waits.
#pragma once

#include "relacy_models/scenarios/staged_support.hpp"

namespace quiesce::models {

template <class P>
struct staged_draining_destroy_misses_no_callback : staged_destroy_meets_a_callback<P> {
    static constexpr defect_info defects[] = {
        {defect::draining_with_acquire_release, "draining_with_acquire_release", "D13",
         "use_after_free misuse_of_primitive",
         "Linux, kernel/bpf/memalloc.c, do_call_rcu_ttrace and bpf_mem_alloc_destroy",
         "the counter and draining are accessed with acquire and release instead of sequential consistency"},
        {defect::addition_counted_acq_rel, "addition_counted_acq_rel", "", "use_after_free misuse_of_primitive",
         "C++20, [atomics.order]", "the addition is counted with acq_rel instead of sequential consistency"},
        {defect::draining_read_with_acquire, "draining_read_with_acquire", "", "use_after_free misuse_of_primitive",
         "C++20, [atomics.order]", "draining is read with acquire instead of sequential consistency"},
        {defect::draining_set_with_release, "draining_set_with_release", "", "use_after_free misuse_of_primitive",
         "C++20, [atomics.order]", "draining is set with release instead of sequential consistency"},
        {defect::counter_read_with_acquire, "counter_read_with_acquire", "", "use_after_free misuse_of_primitive",
         "C++20, [atomics.order]", "the destroyer reads the counter with acquire instead of sequential consistency"},
        {defect::counters_read_before_draining, "counters_read_before_draining", "",
         "use_after_free misuse_of_primitive", "Linux, kernel/bpf/memalloc.c, bpf_mem_alloc_destroy",
         "the destroyer reads the counters before it says that the cache is draining"},
        {defect::batch_taken_relaxed, "batch_taken_relaxed", "", "data_race", "C++20, [atomics.order]",
         "a list is taken with a relaxed exchange"},
    };
    static constexpr std::string_view must_reach[] = {found_in_flight, ended_at_once};
    static constexpr scenario_info info{"staged_draining_destroy_misses_no_callback",
                                        "a staged cache that drains ends after the callbacks that callbacks start",
                                        "C10",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        1,
                                        {},
                                        false,
                                        true};

    staged_draining_destroy_misses_no_callback()
        : staged_destroy_meets_a_callback<P>(staged_destroy::draining, &staged_setting<P>::first) {
        this->free_elsewhere(this->make(0));
        (void)this->first.advance_grace_period();
    }

    void finish() { this->check_ended(1); }
};

}  // namespace quiesce::models
