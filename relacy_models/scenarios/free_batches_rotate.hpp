// Objects of both channels come faster than grace periods end: they wait in pending while every batch slot is busy, and
// all are freed without a further call.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct free_batches_rotate {
    static constexpr defect_info defects[] = {
        {defect::hand_over_ignores_channel, "hand_over_ignores_channel", "D21", "deadlock assertion",
         "Linux, mm/slab_common.c, schedule_delayed_monitor_work and queue_kfree_rcu_work",
         "a half empty batch slot is used, and the channel that finds no room in it is forgotten"},
        {defect::monitor_forgets_pending, "monitor_forgets_pending", "", "deadlock assertion",
         "Linux, mm/slab_common.c, kfree_rcu_monitor", "the monitor is not armed again when every batch slot was busy"},
    };
    static constexpr std::string_view must_reach[] = {"every batch slot was busy"};
    static constexpr scenario_info info{"free_batches_rotate",
                                        "objects that find every batch slot busy are freed by a later batch",
                                        "C11",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        1};

    static constexpr unsigned most = 4;

    basic_rcu_domain<P> domain;
    noted_callback<P> object[most];
    unsigned deferred = 0;

    void defer_head() {
        domain.free_rcu(static_cast<basic_rcu_head<P>*>(&object[deferred++]), &noted_callback<P>::run);
    }
    void defer_headless() { domain.free_rcu(&object[deferred++], &noted_callback<P>::run_headless); }

    bool all_freed() {
        for (unsigned i = 0; i != deferred; ++i) {
            if (object[i].ran.get() != 1) {
                return false;
            }
        }
        return true;
    }

    free_batches_rotate() {
        // Alone, so that the slots are sure to be busy: no grace period has begun. The last one is half empty.
        for (unsigned slot = 1; slot != P::limits().free_batches; ++slot) {
            defer_headless();
            domain.monitor_step();
        }
        defer_head();
        domain.monitor_step();
        defer_headless();
        defer_head();
        domain.monitor_step();
        if (domain.monitor() != detail::monitor_state::idle) {
            P::reached("every batch slot was busy");
        }
    }

    void thread(unsigned i) {
        if (i == 0) {
            // A reader, so that the driver may have to wait with every slot busy.
            domain.lock();
            domain.unlock();
            return;
        }
        drive_frees(domain, [this] { return all_freed(); });
    }

    void finish() { P::check(all_freed(), "an object was not freed exactly once"); }
};

}  // namespace quiesce::models
