// A section nested in another does not end it.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct grace_period_waits_for_nested_readers {
    static constexpr defect_info defects[] = {
        {defect::inner_unlock_ends_section, "inner_unlock_ends_section", "", "data_race use_after_free assertion",
         "Desnoyers et al., 2012, on user-level RCU", "the unlock of the inner section ends the outer one"},
    };
    static constexpr std::string_view must_reach[] = {"a reader held the old object after the inner section"};
    static constexpr scenario_info info{"grace_period_waits_for_nested_readers",
                                        "a grace period waits for the outermost of nested sections",
                                        "C1",
                                        2,
                                        defects,
                                        must_reach};

    using item = object<P>;

    basic_rcu_domain<P> domain;
    typename P::template atomic<item*> current{item::create(1)};

    grace_period_waits_for_nested_readers() { P::name(current, "current"); }

    void thread(unsigned i) {
        if (i == 0) {
            domain.lock();
            item* const o = current.load(std::memory_order_acquire);
            domain.lock();
            domain.unlock();
            if (o != nullptr) {
                P::reached("a reader held the old object after the inner section");
                o->read();
            }
            domain.unlock();
            return;
        }
        item* const old = current.exchange(nullptr, std::memory_order_acq_rel);
        domain.synchronize();
        item::destroy(old);
    }

    void finish() {}
};

}  // namespace quiesce::models
