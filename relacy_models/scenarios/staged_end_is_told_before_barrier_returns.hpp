// A thread waits for the end of a staged cache, then in the first domain's barrier, and takes away what the function
// that is called at the end uses.
#pragma once

#include "relacy_models/scenarios/staged_support.hpp"

namespace quiesce::models {

template <class P>
struct staged_end_is_told_before_barrier_returns : staged_setting<P> {
    static constexpr defect_info defects[] = {
        {defect::end_told_on_worker, "end_told_on_worker", "", "data_race assertion",
         "Babka, 2024, on destroying caches in a worker: rcu_barrier does not wait for work queues",
         "the worker ends the cache and calls the function, which no barrier waits for"},
    };
    static constexpr std::string_view must_reach[] = {"the function had returned"};
    static constexpr scenario_info info{"staged_end_is_told_before_barrier_returns",
                                        "after the wait for a staged cache's end, and rcu_barrier of its first domain, "
                                        "the function that is called at the end has returned",
                                        "C10",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        0};

    typename P::template plain<unsigned> told{0};
    const basic_staged_token<P> end;

    staged_end_is_told_before_barrier_returns() : staged_setting<P>(staged_destroy::draining), end(set_up()) {
        P::name(told, "told");
        end.on_end([](void* self) { static_cast<staged_end_is_told_before_barrier_returns*>(self)->told.set(1); },
                   this);
    }

    void thread(unsigned i) {
        if (i == 0) {
            end.wait();
            this->first.barrier();
            P::check(told.get() == 1, "the function was not called before the barrier returned");
            P::reached(must_reach[0]);
            return;
        }
        (void)this->first.settle_step();
        run_callbacks(this->first);
    }

    void finish() { this->check_ended(1); }

private:
    // The worker finds nothing in flight any more.
    basic_staged_token<P> set_up() {
        this->put_in_second_stage(this->make(0));
        const basic_staged_token<P> pending = this->cache->destroy();
        run_callbacks(this->tasks);
        return pending;
    }
};

}  // namespace quiesce::models
