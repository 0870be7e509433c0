// The platform's promise that the loads of one cell by one thread follow the order in which it was modified.
#pragma once

#include <atomic>
#include <cstdint>

#include "quiesce/platform.hpp"
#include "relacy_models/scenario.hpp"

namespace quiesce::models {

template <class P>
struct platform_is_coherent {
    static constexpr defect_info defects[] = {
        {defect::read_from_two_cells, "read_from_two_cells", "", "assertion", "C++20, [intro.races]",
         "the second value is read from a copy in another cell, which nothing orders"},
    };
    static constexpr std::string_view must_reach[] = {"the loads saw two values"};
    static constexpr scenario_info info{"platform_is_coherent",
                                        "a thread that has read a value of a cell does not read an older one later",
                                        "platform",
                                        2,
                                        defects,
                                        must_reach,
                                        true};

    typename P::template atomic<std::uint32_t> cell{0};
    typename P::template atomic<std::uint32_t> copy{0};

    platform_is_coherent() {
        P::name(cell, "cell");
        P::name(copy, "copy");
    }

    void thread(unsigned i) {
        if (i == 0) {
            for (std::uint32_t v = 1; v != 3; ++v) {
                cell.store(v, std::memory_order_relaxed);
                copy.store(v, std::memory_order_relaxed);
            }
            return;
        }
        const std::uint32_t first = cell.load(std::memory_order_relaxed);
        const std::uint32_t second =
            (P::seeded(defect::read_from_two_cells) ? copy : cell).load(std::memory_order_relaxed);
        P::check(first <= second, "a thread read an older value after a newer one");
        if (first != second) {
            P::reached("the loads saw two values");
        }
    }

    void finish() {}
};

}  // namespace quiesce::models
