// A reader stays in its section for longer than the time-out: who looks tells of it, and may be told of the domain's
// state from there.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct stalled_reader_is_named {
    static constexpr defect_info defects[] = {
        {defect::stall_report_put_off, "stall_report_put_off", "", "assertion",
         "Linux, kernel/rcu/tree_stall.h, on the next time to report",
         "every look begins anew to wait before the report"},
        {defect::stall_reported_under_the_lock, "stall_reported_under_the_lock", "", "deadlock misuse_of_primitive",
         "Linux, kernel/rcu/tree_stall.h, on printing outside the lock of the node",
         "the handler is called under the lock of grace periods"},
    };
    static constexpr std::string_view must_reach[] = {"the reader was named", "the end was told"};
    static constexpr scenario_info info{"stalled_reader_is_named",
                                        "a reader that stays for as long as the time-out is named, and the end is told",
                                        "C11",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        1};

    static constexpr unsigned after = 4;

    basic_rcu_domain<P> domain;
    signal<P> in_section;
    signal<P> looked;
    // Of the reader, before it is in the section.
    std::uint32_t reader = 0;
    // Of the thread that looks.
    bool named = false;
    bool over = false;

    stalled_reader_is_named() { domain.report_stalls(options()); }

    stall_options options() { return {after, &hear, this, {}}; }

    static void hear(const stall_report& r, void* self) noexcept {
        auto* const s = static_cast<stalled_reader_is_named*>(self);
        if (r.kind == stall_kind::readers_over) {
            P::reached("the end was told");
            s->over = true;
            return;
        }
        P::reached("the reader was named");
        if (!s->named) {
            s->named = r.reader_count == 1 && r.readers[0].thread == s->reader;
            // A call that takes the lock of grace periods.
            s->domain.report_stalls(s->options());
        }
    }

    void look(unsigned times) {
        for (unsigned n = 0; n != times; ++n) {
            P::let_time_pass(1);
            (void)domain.advance_grace_period();
        }
    }

    void thread(unsigned i) {
        if (i == 0) {
            reader = P::thread_id();
            domain.lock();
            in_section.give();
            looked.await();
            domain.unlock();
            return;
        }
        in_section.await();
        (void)domain.start_poll();
        (void)domain.advance_grace_period();
        look(after);
        P::check(named, "a reader stayed for as long as the time-out and was not named");
        // The handler has set itself anew, which begins the time-out again.
        look(after + 1);
        looked.give();
        while (domain.advance_grace_period() != step_result::idle) {
            domain.wait_for_readers(0);
        }
        P::check(over, "a grace period ended of which it was told that it waits, and that was not told");
    }

    void finish() {}
};

}  // namespace quiesce::models
