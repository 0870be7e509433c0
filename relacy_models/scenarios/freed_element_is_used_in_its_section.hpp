// An element of an array is exchanged and the old one is freed too; a reader uses it inside its section.
#pragma once

#include "quiesce/basic_rcu_array.hpp"
#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct freed_element_is_used_in_its_section {
    static constexpr defect_info defects[] = {
        {defect::use_after_section, "use_after_section", "D19", "data_race use_after_free assertion",
         "Ts'o, 2020, on the race of ext4's online resize",
         "the reader uses an element after leaving its section, as if elements were never freed"},
    };
    static constexpr std::string_view must_reach[] = {"the reader used an element that was exchanged"};
    static constexpr scenario_info info{"freed_element_is_used_in_its_section",
                                        "an element that is freed too stays for as long as its reader's section",
                                        "C1",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        1};

    using item = object<P>;

    basic_rcu_domain<P> domain;
    basic_rcu_array<item*, P> array{domain};
    // Only for the label.
    struct flag {
        typename P::template atomic<std::uint32_t> set{0};
    };
    flag exchanged;

    freed_element_is_used_in_its_section() { (void)array.push_back(item::create(0)); }

    void thread(unsigned i) {
        if (i == 0) {
            read();
            return;
        }
        item* const old = *array.exchange(0, nullptr);
        exchanged.set.store(1, std::memory_order_relaxed);
        domain.free_rcu(old, &item::free_headless);
        (void)domain.monitor_step();
        (void)domain.advance_grace_period();
        (void)domain.free_step();
    }

    void read() {
        domain.lock();
        item* const found = *array.get(0);
        if (P::seeded(defect::use_after_section)) {
            domain.unlock();
        }
        if (found != nullptr) {
            if (exchanged.set.load(std::memory_order_relaxed) != 0) {
                P::reached(must_reach[0]);
            }
            found->read();
        }
        if (!P::seeded(defect::use_after_section)) {
            domain.unlock();
        }
    }

    void finish() { drain(domain); }
};

}  // namespace quiesce::models
