// A staged cache is destroyed while callbacks of both stages run: one adds to the second stage, the other is about to
// end it.
#pragma once

#include "relacy_models/scenarios/staged_support.hpp"

namespace quiesce::models {

template <class P>
struct staged_destroy_meets_both_stages : staged_setting<P> {
    static constexpr defect_info defects[] = {
        {defect::draining_with_acquire_release, "draining_with_acquire_release", "",
         "use_after_free misuse_of_primitive",
         "Linux, kernel/bpf/memalloc.c, do_call_rcu_ttrace and bpf_mem_alloc_destroy",
         "the counter and draining are accessed with acquire and release instead of sequential consistency"},
        {defect::stage_ends_without_looking, "stage_ends_without_looking", "", "assertion",
         "Hou Tao, 2023, review of bpf_mem_free_rcu: the objects in c->free_by_rcu_ttrace may be leaked",
         "a callback ends its stage without looking whether more has come"},
        {defect::stage_ended_relaxed, "stage_ended_relaxed", "", "data_race use_after_free misuse_of_primitive",
         "C++20, [atomics.order]", "a callback ends its stage with a relaxed store"},
    };
    static constexpr std::string_view must_reach[] = {found_in_flight, ended_at_once};
    static constexpr scenario_info info{
        "staged_destroy_meets_both_stages",
        "a staged cache that is destroyed while callbacks of both stages run ends once, "
        "after both, with every object returned",
        "C10",
        3,
        defects,
        must_reach,
        false,
        0,
        "1 2"};

    staged_destroy_meets_both_stages() : staged_setting<P>(staged_destroy::draining) {
        auto* const one = this->make(0);
        auto* const another = this->make(1);
        this->put_in_second_stage(one);
        (void)this->tasks.advance_grace_period();
        this->free_elsewhere(another);
        (void)this->first.advance_grace_period();
    }

    void thread(unsigned i) {
        switch (i) {
            case 0: destroy_staged(*this); break;
            case 1: (void)this->first.reclaim_step(); break;
            default: (void)this->tasks.reclaim_step();
        }
    }

    void finish() { this->check_ended(2); }
};

}  // namespace quiesce::models
