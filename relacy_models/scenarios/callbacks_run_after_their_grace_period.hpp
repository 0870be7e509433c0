// A retired object is destroyed by a callback on the driver, after a grace period that began after it was retired.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct callbacks_run_after_their_grace_period {
    static constexpr defect_info defects[] = {
        {defect::callback_runs_without_grace_period, "callback_runs_without_grace_period", "",
         "data_race use_after_free assertion", "Linux, kernel/rcu/rcu_segcblist.c",
         "a callback may run as soon as it is queued"},
        {defect::callback_queued_after_start_accepted, "callback_queued_after_start_accepted", "D28",
         "data_race use_after_free assertion", "Linux, kernel/rcu/rcu_segcblist.c",
         "a callback queued while a grace period is under way runs at its end"},
    };
    static constexpr std::string_view must_reach[] = {"a reader held the retired object"};
    static constexpr scenario_info info{"callbacks_run_after_their_grace_period",
                                        "a callback runs, once, after a grace period that began after it was queued",
                                        "C1",
                                        3,
                                        defects,
                                        must_reach,
                                        false,
                                        1};

    using item = object<P>;

    basic_rcu_domain<P> domain;
    typename P::template atomic<item*> current{item::create(1)};
    // Callbacks run on one thread at a time, the driver.
    typename P::template plain<unsigned> ran{0};

    struct retired : basic_rcu_head<P> {
        callbacks_run_after_their_grace_period* owner = nullptr;
        item* what = nullptr;
    };
    retired first;

    callbacks_run_after_their_grace_period() {
        P::name(current, "current");
        first.owner = this;
    }

    static void reclaim(basic_rcu_head<P>* h) {
        auto* const r = static_cast<retired*>(h);
        item::destroy(r->what);
        r->owner->ran.set(r->owner->ran.get() + 1);
    }

    void thread(unsigned i) {
        switch (i) {
            case 0: read_in_section(domain, current, must_reach[0]); break;
            case 1:
                first.what = current.exchange(nullptr, std::memory_order_acq_rel);
                domain.retire(&first, &reclaim);
                break;
            default: {
                // A grace period that has nothing to do with the callback, so that one may be under way when it comes.
                (void)domain.start_poll();
                drive(domain, [this] { return ran.get() == 1; });
            }
        }
    }

    void finish() { P::check(ran.get() == 1, "the callback did not run exactly once"); }
};

}  // namespace quiesce::models
