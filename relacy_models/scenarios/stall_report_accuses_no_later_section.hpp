// A reader ends the section in which it was found in the way and begins another, which is in the way too.
#pragma once

#include "relacy_models/scenarios/stall_support.hpp"

namespace quiesce::models {

template <class P>
struct stall_report_accuses_no_later_section : watched_domain<P> {
    static constexpr defect_info defects[] = {
        {defect::noted_without_heavy_fence, "noted_without_heavy_fence", "", "assertion",
         "Desnoyers et al., 2012, on the wait of synchronize_rcu",
         "who is in the way is noted without a heavy fence after the marks, so a reader may end its section and leave "
         "the mark there",
         "1"},
        {defect::note_outlives_its_section, "note_outlives_its_section", "", "assertion",
         "Linux, kernel/rcu/tree_stall.h, on a stall that ended before it is told",
         "a reader that is marked anew, in a later section, is still noted since the earlier one", "1"},
    };
    static constexpr std::string_view must_reach[] = {"a reader was named", "the section had ended between the looks"};
    static constexpr scenario_info info{
        "stall_report_accuses_no_later_section",
        "a reader that is named was in one section from when it was found in the way until it was looked at",
        "C11",
        2,
        defects,
        must_reach,
        false,
        2,
        "1"};

    using watched_domain<P>::domain;
    typename P::template atomic<unsigned> ended{0};
    signal<P> in_section;
    signal<P> waited_for;
    signal<P> looked;
    signal<P> in_later_section;
    signal<P> through;
    // Chosen by the reader, before it is in the section.
    bool stays = false;

    void thread(unsigned i) {
        if (i == 0) {
            stays = P::choose(2) != 0;
            domain.lock();
            in_section.give();
            if (stays) {
                through.await();
                domain.unlock();
                return;
            }
            waited_for.await();
            domain.unlock();
            ended.store(1, std::memory_order_release);
            looked.await();
            domain.lock();
            in_later_section.give();
            domain.unlock();
            return;
        }
        in_section.await();
        (void)domain.start_poll();
        (void)domain.advance_grace_period();
        waited_for.give();
        (void)this->look_later();
        const bool had_ended = ended.load(std::memory_order_acquire) != 0;
        looked.give();
        if (had_ended) {
            in_later_section.await();
        }
        domain.wait_for_readers(1);
        const bool waits = this->look_later() == step_result::waiting_for_readers;
        if (stays) {
            P::check(this->told == 1, "a reader stayed in its section and was not named");
            P::reached("a reader was named");
        }
        through.give();
        if (had_ended) {
            if (waits) {
                P::reached("the section had ended between the looks");
            }
            P::check(this->told == 0, "a reader was named for a section that had ended");
        }
    }

    void finish() {}
};

}  // namespace quiesce::models
