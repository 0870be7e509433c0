// A staged cache is destroyed while a first-stage callback of one shard starts a second-stage callback of another. The
// destroyer reads counters and waits only if one is not 0.
#pragma once

#include "relacy_models/scenarios/staged_support.hpp"

namespace quiesce::models {

template <class P>
struct staged_ordered_destroy_misses_no_callback : staged_destroy_meets_a_callback<P> {
    static constexpr defect_info defects[] = {
        {defect::second_stage_read_first, "second_stage_read_first", "D11", "use_after_free misuse_of_primitive",
         "Hou Tao, 2023, review of bpf_mem_free_rcu: call_rcu_in_progress must be read first",
         "the destroyer reads the second stages' counters before the first stages'"},
        {defect::stages_read_shard_by_shard, "stages_read_shard_by_shard", "D12", "use_after_free misuse_of_primitive",
         "Hou Tao, 2023, review of bpf_mem_free_rcu: c->tgt makes the destroy procedure more complicated",
         "the destroyer reads both counters of one shard after the other, while callbacks cross from one to another",
         "2 asym"},
    };
    static constexpr std::string_view must_reach[] = {found_in_flight};
    static constexpr scenario_info info{"staged_ordered_destroy_misses_no_callback",
                                        "a staged cache that is destroyed by the order of its counters ends after the "
                                        "callbacks that callbacks start",
                                        "C10",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        0};

    staged_ordered_destroy_misses_no_callback()
        : staged_destroy_meets_a_callback<P>(staged_destroy::order, &staged_setting<P>::first) {
        this->free_elsewhere(this->make(0));
        (void)this->first.advance_grace_period();
    }

    void finish() { this->check_ended(1); }
};

}  // namespace quiesce::models
