// A thread polls for a grace period that another thread drives: when it is over, so are a third thread's sections.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct poll_orders_sections {
    static constexpr defect_info defects[] = {
        {defect::completion_published_relaxed, "completion_published_relaxed", "", "data_race",
         "C++20, [atomics.order]", "the end of a grace period is published with a relaxed store"},
    };
    static constexpr std::string_view must_reach[] = {"a poll found the grace period over"};
    static constexpr scenario_info info{"poll_orders_sections",
                                        "a section happens before a poll that finds a later grace period over",
                                        "C1",
                                        3,
                                        defects,
                                        must_reach,
                                        false,
                                        0};

    using item = object<P>;

    basic_rcu_domain<P> domain;
    typename P::template atomic<item*> current{item::create(1)};

    poll_orders_sections() { P::name(current, "current"); }

    void thread(unsigned i) {
        if (i == 0) {
            read_in_section(domain, current);
            return;
        }
        if (i == 1) {
            // The end of the section is known to this thread only, and through the end of the grace period to others.
            (void)domain.advance_grace_period();
            return;
        }
        item* const old = current.exchange(nullptr, std::memory_order_acq_rel);
        const auto cookie = domain.start_poll();
        bool over = false;
        for (unsigned polls = 0; polls != 10 && !over; ++polls) {
            over = domain.poll(cookie);
        }
        if (over) {
            P::reached("a poll found the grace period over");
        } else {
            domain.wait(cookie);
        }
        item::destroy(old);
    }

    void finish() {}
};

}  // namespace quiesce::models
