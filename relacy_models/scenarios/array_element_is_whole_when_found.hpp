// A reader looks for an element that a writer adds where the array has room, or puts in the place of another.
#pragma once

#include "quiesce/basic_rcu_array.hpp"
#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct array_element_is_whole_when_found {
    static constexpr defect_info defects[] = {
        {defect::array_size_published_relaxed, "array_size_published_relaxed", "D18", "data_race assertion",
         "Ts'o, 2020, on the race of ext4's online resize",
         "the size is published with a relaxed store: an element that was never stored is found"},
        {defect::array_size_read_relaxed, "array_size_read_relaxed", "D18", "data_race assertion",
         "Ts'o, 2020, on the race of ext4's online resize",
         "the reader loads the size with a relaxed load: it finds an element that was never stored"},
        {defect::array_element_stored_relaxed, "array_element_stored_relaxed", "D18", "data_race",
         "Ts'o, 2020, on the race of ext4's online resize", "an element is exchanged for another with a relaxed store"},
        {defect::array_element_read_relaxed, "array_element_read_relaxed", "D18", "data_race",
         "Ts'o, 2020, on the race of ext4's online resize", "the reader loads an element with a relaxed load"},
    };
    static constexpr std::string_view must_reach[] = {"the reader found the added element",
                                                      "the reader found the exchanged element"};
    static constexpr scenario_info info{"array_element_is_whole_when_found",
                                        "an element that a reader finds is there, with what it points to",
                                        "C1",
                                        2,
                                        defects,
                                        must_reach};

    using item = object<P>;

    basic_rcu_domain<P> domain;
    basic_rcu_array<item*, P> array{domain};
    item old{};

    array_element_is_whole_when_found() {
        // Three, so that there is room for a fourth.
        for (unsigned i = 0; i != 3; ++i) {
            (void)array.push_back(&old);
        }
        drain(domain);
    }

    item* added = nullptr;
    item* exchanged = nullptr;

    void thread(unsigned i) {
        if (i == 0) {
            if (const std::optional<item*> found = array.get(3); found.has_value()) {
                P::check(*found != nullptr, "an element was found that was never stored");
                (*found)->read();
                P::reached(must_reach[0]);
            }
            item* const first = *array.get(0);
            first->read();
            if (first != &old) {
                P::reached(must_reach[1]);
            }
            return;
        }
        exchanged = item::create(1);
        (void)array.exchange(0, exchanged);
        added = item::create(2);
        (void)array.push_back(added);
    }

    void finish() {
        item::destroy(added);
        item::destroy(exchanged);
    }
};

}  // namespace quiesce::models
