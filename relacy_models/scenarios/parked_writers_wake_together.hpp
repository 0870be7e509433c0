// Two writers park on one reader. Whichever is woken first passes over the reader; the other must not be left behind.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct parked_writers_wake_together {
    static constexpr defect_info defects[] = {
        {defect::passed_over_without_waking, "passed_over_without_waking", "", "deadlock",
         "Desnoyers et al., 2012, on the wait of synchronize_rcu",
         "a writer that passes over a reader takes back the mark that somebody waits, and does not wake the others"},
    };
    static constexpr std::string_view must_reach[] = {"two writers waited while the section was open"};
    static constexpr scenario_info info{"parked_writers_wake_together",
                                        "every writer that waits for a reader returns when its section ends",
                                        "C11",
                                        3,
                                        defects,
                                        must_reach};

    basic_rcu_domain<P> domain;
    typename P::template atomic<std::uint32_t> started{0};

    void thread(unsigned i) {
        if (i == 0) {
            domain.lock();
            if (started.load(std::memory_order_relaxed) == 2) {
                P::reached("two writers waited while the section was open");
            }
            domain.unlock();
        } else {
            started.fetch_add(1, std::memory_order_relaxed);
            domain.synchronize();
        }
    }

    void finish() {}
};

}  // namespace quiesce::models
