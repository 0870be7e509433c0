// A thread that exits hands its reader record to a later thread, with everything that it did before.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct thread_exit_hands_its_record_on {
    static constexpr defect_info defects[] = {
        {defect::thread_exit_keeps_record, "thread_exit_keeps_record", "", "assertion",
         "Desnoyers et al., 2012, on the registration of readers", "a thread that exits does not give up its record"},
        {defect::record_given_up_relaxed, "record_given_up_relaxed", "", "data_race", "C++20, [atomics.order]",
         "a record is given up with a relaxed store"},
    };
    static constexpr std::string_view must_reach[] = {"the later thread took the record over"};
    static constexpr scenario_info info{
        "thread_exit_hands_its_record_on",
        "a domain keeps no more reader records than threads read in it at the same time",
        "C9",
        2,
        defects,
        must_reach};

    basic_rcu_domain<P> domain;
    // Orders nothing: makes it likely that the first thread exits before the other reads.
    typename P::template atomic<unsigned> about_to_exit{0};

    void thread(unsigned i) {
        if (i == 1) {
            P::await(
                about_to_exit, [](unsigned a) { return a == 1; }, std::memory_order_relaxed);
        }
        domain.lock();
        domain.unlock();
        if (i == 0) {
            about_to_exit.store(1, std::memory_order_relaxed);
            P::wake(about_to_exit);
        }
    }

    void finish() {
        // All threads have exited: a record is free, and this code, alone, reads in the domain.
        const unsigned before = domain.reader_records();
        domain.lock();
        domain.unlock();
        P::check(domain.reader_records() == before, "the record of a thread that exited was not used again");
        if (before == 1) {
            P::reached("the later thread took the record over");
        }
    }
};

}  // namespace quiesce::models
