// Two writers wait at the same time. One grace period may serve both only if it began after both unlinked.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct grace_periods_are_shared {
    static constexpr defect_info defects[] = {
        {defect::grace_period_under_way_accepted, "grace_period_under_way_accepted", "D28",
         "data_race use_after_free assertion", "Linux, kernel/rcu/rcu.h, rcu_seq_snap",
         "a grace period that is under way at the call is accepted as the caller's own"},
        {defect::cookie_read_without_rmw, "cookie_read_without_rmw", "", "data_race use_after_free assertion",
         "C++20, [atomics.order]", "the number of the grace period under way is read with a load, which may be stale"},
    };
    static constexpr std::string_view must_reach[] = {"one writer found its grace period done by the other"};
    static constexpr scenario_info info{
        "grace_periods_are_shared",
        "a caller that shares another's grace period shares one that began after its own call",
        "C1",
        3,
        defects,
        must_reach,
        false,
        1};

    using item = object<P>;

    basic_rcu_domain<P> domain;
    typename P::template atomic<item*> current{item::create(1)};

    grace_periods_are_shared() { P::name(current, "current"); }

    void thread(unsigned i) {
        switch (i) {
            case 0: read_in_section(domain, current); break;
            case 1: domain.synchronize(); break;
            default: {
                item* const old = current.exchange(nullptr, std::memory_order_acq_rel);
                const auto cookie = domain.start_poll();
                if (domain.poll(cookie)) {
                    P::reached("one writer found its grace period done by the other");
                } else {
                    domain.wait(cookie);
                }
                item::destroy(old);
            }
        }
    }

    void finish() {}
};

}  // namespace quiesce::models
