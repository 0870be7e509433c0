// One reader has several sections one after another. A grace period may see only a later one, and must still come after
// those before it.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct grace_period_covers_earlier_sections {
    static constexpr defect_info defects[] = {
        {defect::reader_exit_relaxed, "reader_exit_relaxed", "", "data_race", "C++20, [atomics.order]",
         "the store that ends a section is relaxed"},
        {defect::reader_announces_relaxed, "reader_announces_relaxed", "", "data_race", "C++20, [atomics.order]",
         "the store that announces a section is relaxed, so that the end of the section before is not seen with it",
         "1 2 asym", "explorer"},
    };
    static constexpr std::string_view must_reach[] = {"a later section saw the object gone"};
    static constexpr scenario_info info{
        "grace_period_covers_earlier_sections",
        "a grace period that sees a reader in a later section comes after that reader's earlier ones",
        "C1",
        2,
        defects,
        must_reach,
        false,
        2,
        {},
        false,
        true};

    using item = object<P>;
    static constexpr int sections = 3;

    basic_rcu_domain<P> domain;
    typename P::template atomic<item*> current{item::create(1)};

    grace_period_covers_earlier_sections() { P::name(current, "current"); }

    void thread(unsigned i) {
        if (i == 0) {
            for (int n = 0; n != sections; ++n) {
                domain.lock();
                // Relaxed: whether the section comes after the grace period must not be learnt from this load.
                item* const o = current.load(std::memory_order_relaxed);
                if (o != nullptr) {
                    o->read();
                } else {
                    P::reached("a later section saw the object gone");
                }
                domain.unlock();
            }
            return;
        }
        item* const old = current.exchange(nullptr, std::memory_order_relaxed);
        domain.synchronize();
        item::destroy(old);
    }

    void finish() {}
};

}  // namespace quiesce::models
