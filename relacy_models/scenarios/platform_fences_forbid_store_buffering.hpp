// The platform's promise that a light fence in one thread and a heavy one in another forbid store buffering.
#pragma once

#include <atomic>
#include <cstdint>

#include "quiesce/platform.hpp"
#include "relacy_models/scenario.hpp"

namespace quiesce::models {

template <class P>
struct platform_fences_forbid_store_buffering {
    static constexpr defect_info defects[] = {
        {defect::reader_without_light_fence, "without_light_fence", "D27r", "assertion",
         "Desnoyers et al., 2012, on user-level RCU", "the light fence is missing"},
        {defect::writer_without_heavy_fence, "without_heavy_fence", "D27w", "assertion",
         "Desnoyers et al., 2012, on user-level RCU", "the heavy fence is missing"},
    };
    static constexpr std::string_view must_reach[] = {"both threads saw the other's store"};
    static constexpr scenario_info info{"platform_fences_forbid_store_buffering",
                                        "of two threads that store, fence and load, one sees the other's store",
                                        "platform",
                                        2,
                                        defects,
                                        must_reach,
                                        true};

    typename P::template atomic<std::uint32_t> x{0};
    typename P::template atomic<std::uint32_t> y{0};
    typename P::template plain<std::uint32_t> saw_x{0};
    typename P::template plain<std::uint32_t> saw_y{0};

    platform_fences_forbid_store_buffering() {
        P::name(x, "x");
        P::name(y, "y");
        P::name(saw_x, "saw_x");
        P::name(saw_y, "saw_y");
    }

    void thread(unsigned i) {
        if (i == 0) {
            x.store(1, std::memory_order_relaxed);
            if (!P::seeded(defect::reader_without_light_fence)) {
                P::light_fence();
            }
            saw_y.set(y.load(std::memory_order_relaxed));
        } else {
            y.store(1, std::memory_order_relaxed);
            if (!P::seeded(defect::writer_without_heavy_fence)) {
                P::heavy_fence();
            }
            saw_x.set(x.load(std::memory_order_relaxed));
        }
    }

    void finish() {
        P::check(saw_x.get() == 1 || saw_y.get() == 1, "neither thread saw the other's store");
        if (saw_x.get() == 1 && saw_y.get() == 1) {
            P::reached("both threads saw the other's store");
        }
    }
};

}  // namespace quiesce::models
