// A reader looks for an element that a writer adds where the array has room.
#pragma once

#include "quiesce/basic_rcu_array.hpp"
#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct added_array_element_is_whole {
    static constexpr defect_info defects[] = {
        {defect::array_size_published_relaxed, "array_size_published_relaxed", "D18", "data_race assertion",
         "Ts'o, 2020, on the race of ext4's online resize",
         "the size is published with a relaxed store: an element that was never stored is found"},
        {defect::array_size_read_relaxed, "array_size_read_relaxed", "D18", "data_race assertion",
         "Ts'o, 2020, on the race of ext4's online resize",
         "the reader loads the size with a relaxed load: it finds an element that was never stored"},
    };
    static constexpr std::string_view must_reach[] = {"the reader found the added element"};
    static constexpr scenario_info info{"added_array_element_is_whole",
                                        "an element that a reader finds at the end is there, with what it points to",
                                        "C1",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        1,
                                        {},
                                        false,
                                        true};

    using item = object<P>;

    basic_rcu_domain<P> domain;
    basic_rcu_array<item*, P> array{domain};
    item* added = nullptr;

    added_array_element_is_whole() {
        // Three, so that there is room for a fourth.
        array.grow(1);
        (void)array.push_back(nullptr);
        (void)array.push_back(nullptr);
        drain(domain);
    }

    void thread(unsigned i) {
        if (i != 0) {
            added = item::create(1);
            (void)array.push_back(added);
        } else if (const std::optional<item*> found = array.get(3); found.has_value()) {
            P::check(*found != nullptr, "an element was found that was never stored");
            (*found)->read();
            P::reached(must_reach[0]);
        }
    }

    void finish() { item::destroy(added); }
};

}  // namespace quiesce::models
