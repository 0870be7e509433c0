// A reader looks elements up while a writer replaces the array by a larger one.
#pragma once

#include "quiesce/basic_rcu_array.hpp"
#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct growing_array_outlives_its_readers {
    static constexpr defect_info defects[] = {
        {defect::array_published_relaxed, "array_published_relaxed", "D18", "data_race uninitialized_access",
         "Ts'o, 2020, on the race of ext4's online resize", "the larger array is published with a relaxed store"},
        {defect::array_read_relaxed, "array_read_relaxed", "D18", "data_race uninitialized_access",
         "Ts'o, 2020, on the race of ext4's online resize", "the reader loads the array with a relaxed load"},
        {defect::array_freed_at_once, "array_freed_at_once", "", "data_race use_after_free assertion",
         "Singh and Ts'o, 2020, on the race of ext4's online resize", "the old array is freed when it is replaced"},
    };
    static constexpr std::string_view must_reach[] = {"the reader found the array before it grew",
                                                      "the reader found the larger array"};
    static constexpr scenario_info info{"growing_array_outlives_its_readers",
                                        "what a reader finds of an array that grows is whole, and still there",
                                        "C1",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        0};

    using item = object<P>;

    basic_rcu_domain<P> domain;
    basic_rcu_array<item*, P> array{domain};
    item* items[2] = {item::create(0), item::create(1)};

    growing_array_outlives_its_readers() { (void)array.push_back(items[0]); }

    void thread(unsigned i) {
        if (i == 0) {
            const std::optional<item*> added = array.get(1);
            P::reached(must_reach[added.has_value() ? 1 : 0]);
            if (added.has_value()) {
                P::check(*added != nullptr && (*added)->value.get() == 1, "the element is not there");
            } else {
                const std::optional<item*> first = array.get(0);
                P::check(first.has_value() && *first == items[0], "the array's first element is lost");
            }
            return;
        }
        (void)array.push_back(items[1]);
        (void)domain.monitor_step();
        (void)domain.advance_grace_period();
        (void)domain.free_step();
    }

    void finish() {
        drain(domain);
        P::check(array.size() == 2 && *array.get(0) == items[0] && *array.get(1) == items[1], "an element is lost");
        for (item* const o : items) {
            item::destroy(o);
        }
    }
};

}  // namespace quiesce::models
