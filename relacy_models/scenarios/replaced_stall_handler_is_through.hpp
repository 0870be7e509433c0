// The handler of stall reports is replaced while it may be running, and what it used goes.
#pragma once

#include "relacy_models/scenarios/stall_support.hpp"

namespace quiesce::models {

template <class P>
struct replaced_stall_handler_is_through {
    static constexpr defect_info defects[] = {
        {defect::stall_handler_not_waited_for, "stall_handler_not_waited_for", "", "data_race",
         "Linux, kernel/notifier.c, on unregistering a notifier that may be running",
         "who replaces the handler does not wait for it"},
        {defect::stall_handler_left_relaxed, "stall_handler_left_relaxed", "", "data_race", "C++20, [atomics.order]",
         "that the handler is through is said with a relaxed store"},
    };
    static constexpr std::string_view must_reach[] = {"the handler ran"};
    static constexpr scenario_info info{"replaced_stall_handler_is_through",
                                        "what a handler uses may go when the handler has been replaced",
                                        "C11",
                                        2,
                                        defects,
                                        must_reach};

    basic_rcu_domain<P> domain;
    typename P::template plain<unsigned> context{0};

    static void hear(const stall_report&, void* context) noexcept {
        P::reached("the handler ran");
        static_cast<typename P::template plain<unsigned>*>(context)->set(1);
    }
    static void hear_nothing(const stall_report&, void*) noexcept {}

    replaced_stall_handler_is_through() {
        // All but the last look alone.
        domain.report_stalls({2, &hear, &context, {}});
        domain.lock();
        (void)domain.start_poll();
        (void)domain.advance_grace_period();
        P::let_time_pass(1);
        (void)domain.advance_grace_period();
    }

    void thread(unsigned i) {
        if (i == 0) {
            P::let_time_pass(2);
            (void)domain.advance_grace_period();
            return;
        }
        domain.report_stalls({2, &hear_nothing, nullptr, {}});
        context.set(2);
    }

    void finish() {
        domain.unlock();
        while (domain.advance_grace_period() != step_result::idle) {
        }
    }
};

}  // namespace quiesce::models
