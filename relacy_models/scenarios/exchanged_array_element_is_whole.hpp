// A reader looks an element up that a writer exchanges for a new one.
#pragma once

#include "quiesce/basic_rcu_array.hpp"
#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct exchanged_array_element_is_whole {
    static constexpr defect_info defects[] = {
        {defect::array_element_stored_relaxed, "array_element_stored_relaxed", "D18", "data_race",
         "Ts'o, 2020, on the race of ext4's online resize", "an element is exchanged for another with a relaxed store"},
        {defect::array_element_read_relaxed, "array_element_read_relaxed", "D18", "data_race",
         "Ts'o, 2020, on the race of ext4's online resize", "the reader loads an element with a relaxed load"},
    };
    static constexpr std::string_view must_reach[] = {"the reader found the new element"};
    static constexpr scenario_info info{"exchanged_array_element_is_whole",
                                        "an element that a reader finds is there with what it points to",
                                        "C1",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        1};

    using item = object<P>;

    basic_rcu_domain<P> domain;
    basic_rcu_array<item*, P> array{domain};
    item* fresh = nullptr;

    exchanged_array_element_is_whole() { array.grow(1); }

    void thread(unsigned i) {
        if (i != 0) {
            fresh = item::create(1);
            (void)array.exchange(0, fresh);
            return;
        }
        // Around both: where Relacy's light fence is a full one, the end of the section that `get` opens would order
        // what comes after it.
        domain.lock();
        if (item* const found = *array.get(0); found != nullptr) {
            found->read();
            P::reached(must_reach[0]);
        }
        domain.unlock();
    }

    void finish() { item::destroy(fresh); }
};

}  // namespace quiesce::models
