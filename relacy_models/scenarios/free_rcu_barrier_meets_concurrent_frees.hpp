// One thread has deferred an object and goes on deferring others, which makes it hand its array over, while another
// thread calls free_rcu_barrier: the barrier finds the first object wherever it is just then.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct free_rcu_barrier_meets_concurrent_frees {
    static constexpr defect_info defects[] = {
        {defect::detached_before_handed_over, "detached_before_handed_over", "D26", "data_race assertion",
         "Linux, mm/slub.c, review of the sheaves of kfree_rcu, 2025",
         "a thread detaches its full array and hands it over in two steps for a flusher"},
        {defect::flusher_does_not_wait, "flusher_does_not_wait", "", "data_race assertion leak use_after_free",
         "Dice, Huang and Yang, 2001, on asymmetric synchronisation",
         "the barrier takes a thread's array without waiting for the thread to be outside"},
    };
    static constexpr std::string_view must_reach[] = {"the barrier covered an object of another thread"};
    static constexpr scenario_info info{
        "free_rcu_barrier_meets_concurrent_frees",
        "free_rcu_barrier covers what another thread deferred before, while that thread goes on",
        "C3",
        3,
        defects,
        must_reach,
        false,
        0};

    // Enough that the array is handed over.
    const unsigned later = smallest<P>() ? 1 : 2;

    basic_rcu_domain<P> domain;
    noted_callback<P> first;
    noted_callback<P> others[2];
    signal<P> deferred;

    free_rcu_barrier_meets_concurrent_frees() { P::name(first.ran, "first.freed"); }

    void thread(unsigned i) {
        switch (i) {
            case 0:
                domain.free_rcu(&first, &noted_callback<P>::run_headless);
                deferred.give();
                for (unsigned n = 0; n != later; ++n) {
                    domain.free_rcu(&others[n], &noted_callback<P>::run_headless);
                }
                if (smallest<P>()) {
                    drive();
                }
                break;
            case 1:
                deferred.await();
                domain.free_rcu_barrier();
                P::check(first.ran.get() == 1, "the barrier returned before the object was freed");
                P::reached("the barrier covered an object of another thread");
                break;
            default:
                if (!smallest<P>()) {
                    drive();
                }
        }
    }

    void drive() {
        drive_frees(domain, [this] { return all_freed(); });
    }

    bool all_freed() {
        for (unsigned n = 0; n != later; ++n) {
            if (others[n].ran.get() != 1) {
                return false;
            }
        }
        return first.ran.get() == 1;
    }

    void finish() {
        // Alone: whatever the barrier did not have to wait for.
        drain(domain);
        for (unsigned n = 0; n != later; ++n) {
            P::check(others[n].ran.get() == 1, "an object was not freed exactly once");
        }
        P::check(first.ran.get() == 1, "the first object was not freed exactly once");
    }
};

}  // namespace quiesce::models
