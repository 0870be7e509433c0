// A reader follows a pointer to an object; a writer unlinks the object, waits for a grace period and frees it.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct grace_period_waits_for_readers {
    static constexpr defect_info defects[] = {
        {defect::reader_without_light_fence, "reader_without_light_fence", "D27r", "data_race use_after_free assertion",
         "Desnoyers et al., 2012, on user-level RCU", "a reader enters without the light fence"},
        {defect::writer_without_heavy_fence, "writer_without_heavy_fence", "D27w", "data_race use_after_free assertion",
         "Desnoyers et al., 2012, on user-level RCU", "a grace period starts without the heavy fence"},
        {defect::reader_announces_after_fence, "reader_announces_after_fence", "", "data_race use_after_free assertion",
         "Desnoyers et al., 2012, on user-level RCU", "a reader announces its section after the light fence"},
        {defect::reader_exit_relaxed, "reader_exit_relaxed", "", "data_race", "C++20, [atomics.order]",
         "the store that ends a section is relaxed"},
        {defect::record_published_relaxed, "record_published_relaxed", "", "data_race", "C++20, [atomics.order]",
         "a new reader's record is published with a relaxed compare-exchange"},
        {defect::publish_relaxed, "publish_relaxed", "D18", "data_race",
         "Ts'o and others, 2020, on the race of ext4's online resize",
         "the new object is published with a relaxed store"},
        {defect::subscribe_relaxed, "subscribe_relaxed", "D18", "data_race",
         "Ts'o and others, 2020, on the race of ext4's online resize",
         "the reader loads the pointer with a relaxed load"},
        {defect::use_after_section, "use_after_section", "D19", "data_race use_after_free assertion",
         "Ts'o and others, 2020, on the race of ext4's online resize",
         "the reader uses the object after leaving its section"},
    };
    static constexpr std::string_view must_reach[] = {"a reader held the old object"};
    static constexpr scenario_info info{"grace_period_waits_for_readers",
                                        "an object unlinked before a grace period is not read after it",
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

    basic_rcu_domain<P> domain;
    typename P::template atomic<item*> current{item::create(1)};

    grace_period_waits_for_readers() { P::name(current, "current"); }

    void thread(unsigned i) {
        if (i == 0) {
            read();
        } else {
            replace();
        }
    }

    void read() {
        domain.lock();
        item* const o =
            current.load(P::seeded(defect::subscribe_relaxed) ? std::memory_order_relaxed : std::memory_order_acquire);
        if (P::seeded(defect::use_after_section)) {
            domain.unlock();
            o->read();
            return;
        }
        o->read();
        if (o->value.get() == 1) {
            P::reached("a reader held the old object");
        }
        domain.unlock();
    }

    void replace() {
        item* const fresh = item::create(2);
        item* const old = current.exchange(
            fresh, P::seeded(defect::publish_relaxed) ? std::memory_order_relaxed : std::memory_order_acq_rel);
        domain.synchronize();
        item::destroy(old);
    }

    void finish() { item::destroy(current.load(std::memory_order_relaxed)); }
};

}  // namespace quiesce::models
