// A thread waits for the end of a staged cache whose last objects another one returns, and drops its handle.
#pragma once

#include "relacy_models/scenarios/staged_support.hpp"

namespace quiesce::models {

template <class P>
struct staged_token_wait_sees_the_cache_gone : staged_setting<P> {
    static constexpr defect_info defects[] = {
        {defect::reference_given_up_relaxed, "reference_given_up_relaxed", "",
         "use_after_free misuse_of_primitive data_race", "C++20, [atomics.order]",
         "a reference to a cache is given up with a relaxed read-modify-write", "1 2 asym", "explorer"},
    };
    static constexpr std::string_view must_reach[] = {"the cache ended"};
    static constexpr scenario_info info{
        "staged_token_wait_sees_the_cache_gone",
        "all that was done to end a staged cache happens before the wait for its end returns",
        "C10",
        2,
        defects,
        must_reach,
        false,
        1,
        {},
        false,
        true};

    const std::uint64_t nothing_queued;

    staged_token_wait_sees_the_cache_gone() : staged_setting<P>(staged_destroy::draining), nothing_queued(set_up()) {}

    void thread(unsigned i) {
        if (i == 0) {
            this->cache->destroy().wait();
            P::check(this->returned(0), "the cache ended before its object was returned");
            P::reached(must_reach[0]);
            this->cache.reset();
            return;
        }
        this->first.wait_for_settles(nothing_queued);
        run_callbacks(this->tasks);
        (void)this->first.settle_step();
        run_callbacks(this->first);
    }

    void finish() {}

private:
    std::uint64_t set_up() {
        this->put_in_second_stage(this->make(0));
        return this->first.settles_queued();
    }
};

}  // namespace quiesce::models
