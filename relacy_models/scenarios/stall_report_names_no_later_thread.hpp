// A reader that was found in the way ends its section and exits; a later thread takes its record over.
#pragma once

#include "relacy_models/scenarios/stall_support.hpp"

namespace quiesce::models {

template <class P>
struct stall_report_names_no_later_thread : watched_domain<P> {
    static constexpr defect_info defects[] = {
        {defect::stalled_thread_read_late, "stalled_thread_read_late", "", "assertion",
         "Linux, kernel/rcu/tree_stall.h, on tasks that exit while they are told of",
         "whose record it is is read after it was seen that the reader is still in the section"},
        {defect::stalled_thread_read_relaxed, "stalled_thread_read_relaxed", "", "assertion", "C++20, [atomics.order]",
         "whose record it is is read with a relaxed load"},
    };
    static constexpr std::string_view must_reach[] = {"the reader was named", "the later thread took the record over"};
    static constexpr scenario_info info{"stall_report_names_no_later_thread",
                                        "who is named is the thread in the section, not who takes its record over",
                                        "C11",
                                        3,
                                        defects,
                                        must_reach,
                                        false,
                                        1};

    using watched_domain<P>::domain;
    signal<P> in_section;
    signal<P> looked;
    std::uint32_t later = 0;

    void thread(unsigned i) {
        if (i == 0) {
            domain.lock();
            in_section.give();
            looked.await();
            domain.unlock();
            return;
        }
        if (i == 1) {
            later = P::thread_id();
            looked.await();
            domain.lock();
            domain.unlock();
            return;
        }
        in_section.await();
        (void)domain.start_poll();
        (void)domain.advance_grace_period();
        (void)this->look_later();
        looked.give();
        (void)this->look_later();
    }

    void finish() {
        if (this->told == 0) {
            return;
        }
        P::reached("the reader was named");
        if (domain.reader_records() == 1) {
            P::reached("the later thread took the record over");
        }
        P::check(this->named != later, "a thread was named that was in no section when the reader was found");
    }
};

}  // namespace quiesce::models
