// The other half of the grace-period guarantee: a section that is not waited for happens after what the writer did
// before the grace period. The reader learns that the grace period is over from a relaxed load, which orders nothing.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct sections_after_grace_period_see_what_came_before {
    static constexpr defect_info defects[] = {
        {defect::reader_without_light_fence, "reader_without_light_fence", "D27r", "data_race",
         "Desnoyers et al., 2012, on user-level RCU", "a reader enters without the light fence"},
        {defect::writer_without_heavy_fence, "writer_without_heavy_fence", "D27w", "data_race",
         "Desnoyers et al., 2012, on user-level RCU", "a grace period starts without the heavy fence"},
        {defect::reader_reads_number_relaxed, "reader_reads_number_relaxed", "", "data_race", "C++20, [atomics.order]",
         "a reader reads the number of the newest grace period with a relaxed load", "1 2 asym", "explorer"},
    };
    static constexpr std::string_view must_reach[] = {"a section came after the grace period"};
    static constexpr scenario_info info{
        "sections_after_grace_period_see_what_came_before",
        "what was done before a grace period happens before every section that the grace period did not wait for",
        "C1",
        2,
        defects,
        must_reach};

    basic_rcu_domain<P> domain;
    typename P::template plain<std::uint32_t> before{0};
    typename P::template atomic<std::uint32_t> after{0};

    sections_after_grace_period_see_what_came_before() {
        P::name(before, "before");
        P::name(after, "after");
    }

    void thread(unsigned i) {
        if (i == 0) {
            // The second section announces the number that the first one read, and is then not waited for.
            for (int n = 0; n != 2; ++n) {
                domain.lock();
                if (after.load(std::memory_order_relaxed) == 1) {
                    P::reached("a section came after the grace period");
                    P::check(before.get() == 1, "a section after the grace period missed what came before it");
                }
                domain.unlock();
            }
            return;
        }
        before.set(1);
        domain.synchronize();
        after.store(1, std::memory_order_relaxed);
    }

    void finish() {}
};

}  // namespace quiesce::models
