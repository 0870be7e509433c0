// The platform's promise that an await whose condition comes to hold, and that is woken then, returns.
#pragma once

#include <atomic>
#include <cstdint>

#include "quiesce/platform.hpp"
#include "relacy_models/scenario.hpp"

namespace quiesce::models {

template <class P>
struct platform_wakes_what_awaits {
    static constexpr defect_info defects[] = {
        {defect::wake_missing, "wake_missing", "", "deadlock", "Franke, Russell and Kirkwood, 2002, on futexes",
         "the store is not followed by a wake"},
        {defect::wake_before_store, "wake_before_store", "", "deadlock",
         "Franke, Russell and Kirkwood, 2002, on futexes", "the wake comes before the store"},
    };
    static constexpr std::string_view must_reach[] = {"the await returned"};
    static constexpr scenario_info info{"platform_wakes_what_awaits",
                                        "an await returns once its condition holds and its cell was woken",
                                        "platform",
                                        2,
                                        defects,
                                        must_reach,
                                        true};

    typename P::template atomic<std::uint32_t> cell{0};

    platform_wakes_what_awaits() { P::name(cell, "cell"); }

    void thread(unsigned i) {
        if (i == 0) {
            P::await(
                cell, [](std::uint32_t v) { return v == 1; }, std::memory_order_acquire);
            P::reached("the await returned");
            return;
        }
        if (P::seeded(defect::wake_before_store)) {
            P::wake(cell);
        }
        cell.store(1, std::memory_order_release);
        if (!P::seeded(defect::wake_missing) && !P::seeded(defect::wake_before_store)) {
            P::wake(cell);
        }
    }

    void finish() {}
};

}  // namespace quiesce::models
