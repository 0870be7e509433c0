// The platform's promise that choices, timeouts and failing allocations come out every way.
#pragma once

#include <atomic>
#include <cstdint>

#include "quiesce/platform.hpp"
#include "relacy_models/scenario.hpp"

namespace quiesce::models {

template <class P>
struct platform_chooses_every_value {
    static constexpr defect_info defects[] = {
        {defect::third_value_not_expected, "third_value_not_expected", "", "assertion", "the platform's contract",
         "the program takes it that the last of three values is never chosen"},
    };
    static constexpr std::string_view must_reach[] = {"0 was chosen",         "1 was chosen",
                                                      "2 was chosen",         "an allocation failed",
                                                      "an allocation served", "a wait ran out of time"};
    static constexpr scenario_info info{"platform_chooses_every_value",
                                        "every value, a failing allocation and a timeout can be had",
                                        "platform",
                                        2,
                                        defects,
                                        must_reach,
                                        true};

    typename P::template atomic<std::uint32_t> never{0};

    void thread(unsigned i) {
        if (i != 0) {
            return;
        }
        const unsigned chosen = P::choose(3);
        P::check(chosen < 3, "a value was chosen that was not offered");
        P::check(chosen != 2 || !P::seeded(defect::third_value_not_expected), "the third value was chosen");
        P::reached(must_reach[chosen]);
        P::let_allocations_fail();
        void* const memory = P::allocate(64, 64);
        P::reached(memory == nullptr ? "an allocation failed" : "an allocation served");
        if (memory != nullptr) {
            P::deallocate(memory, 64, 64);
        }
        if (!P::await_for(
                never, [](std::uint32_t v) { return v == 1; }, std::memory_order_relaxed, 1)) {
            P::reached("a wait ran out of time");
        }
    }

    void finish() {}
};

}  // namespace quiesce::models
