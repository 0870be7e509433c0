// A grace period is under way, held up by one reader, when an object that another reader has found is given to
// free_rcu.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct free_rcu_needs_a_new_grace_period {
    static constexpr defect_info defects[] = {
        {defect::block_cookie_of_first_append, "block_cookie_of_first_append", "D25",
         "data_race use_after_free assertion", "Linux, mm/slab_common.c, add_ptr_to_bulk_krc_lock",
         "a block waits for the grace period that its first object needs, not its last", "2"},
        {defect::grace_period_under_way_accepted, "grace_period_under_way_accepted", "D28",
         "data_race use_after_free assertion", "Linux, kernel/rcu/tree.c, get_state_synchronize_rcu",
         "free_rcu is satisfied with the grace period that is under way"},
    };
    static constexpr std::string_view must_reach[] = {"a reader held the object"};
    static constexpr scenario_info info{"free_rcu_needs_a_new_grace_period",
                                        "free_rcu waits for a grace period that begins after the call",
                                        "C1",
                                        3,
                                        defects,
                                        must_reach,
                                        false,
                                        0};

    using item = object<P>;

    basic_rcu_domain<P> domain;
    noted_callback<P> earlier;
    typename P::template atomic<item*> current{item::create(1)};
    static constexpr unsigned stages = 6;
    signal<P> entered[stages];

    free_rcu_needs_a_new_grace_period() { P::name(current, "current"); }

    void enter_stage(unsigned s) { entered[s - 1].give(); }
    void await_stage(unsigned s) { entered[s - 1].await(); }

    void thread(unsigned i) {
        switch (i) {
            case 0:
                // Holds the first grace period up.
                domain.lock();
                enter_stage(1);
                await_stage(4);
                domain.unlock();
                enter_stage(5);
                break;
            case 1: {
                // Begins after the first grace period, which does not wait for it.
                await_stage(2);
                domain.lock();
                item* const o = current.load(std::memory_order_acquire);
                enter_stage(3);
                await_stage(6);
                P::reached("a reader held the object");
                o->read();
                domain.unlock();
                break;
            }
            default: {
                domain.free_rcu(&earlier, &noted_callback<P>::run_headless);
                await_stage(1);
                (void)domain.start_poll();
                (void)domain.advance_grace_period();
                enter_stage(2);
                await_stage(3);
                item* const o = current.exchange(nullptr, std::memory_order_acq_rel);
                domain.free_rcu(o, &item::free_headless);
                (void)domain.monitor_step();
                enter_stage(4);
                await_stage(5);
                (void)domain.advance_grace_period();
                (void)domain.monitor_step();
                (void)domain.free_step();
                enter_stage(6);
            }
        }
    }

    void finish() {
        drain(domain);
        P::check(earlier.ran.get() == 1, "the earlier object was not freed exactly once");
    }
};

}  // namespace quiesce::models
