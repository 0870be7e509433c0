// The platform's promise that no store comes between the read and the write of a read-modify-write.
#pragma once

#include <atomic>
#include <cstdint>

#include "quiesce/platform.hpp"
#include "relacy_models/scenario.hpp"

namespace quiesce::models {

template <class P>
struct platform_read_modify_writes_are_atomic {
    static constexpr defect_info defects[] = {
        {defect::increment_by_load_and_store, "increment_by_load_and_store", "", "assertion", "C++20, [atomics.order]",
         "a thread increments with a load and a store"},
    };
    static constexpr std::string_view must_reach[] = {"every increment counted"};
    static constexpr scenario_info info{"platform_read_modify_writes_are_atomic",
                                        "of increments and exchanges of one cell none is lost",
                                        "platform",
                                        2,
                                        defects,
                                        must_reach,
                                        true};

    static constexpr std::uint32_t rounds = 2;

    typename P::template atomic<std::uint32_t> count{0};
    typename P::template atomic<std::uint32_t> token{1};
    std::uint32_t taken[2] = {};

    platform_read_modify_writes_are_atomic() {
        P::name(count, "count");
        P::name(token, "token");
    }

    void thread(unsigned i) {
        for (std::uint32_t n = 0; n != rounds; ++n) {
            if (P::seeded(defect::increment_by_load_and_store)) {
                count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
            } else if (n == 0) {
                count.fetch_add(1, std::memory_order_relaxed);
            } else {
                std::uint32_t seen = count.load(std::memory_order_relaxed);
                while (!count.compare_exchange_strong(seen, seen + 1, std::memory_order_relaxed,
                                                      std::memory_order_relaxed)) {
                }
            }
        }
        taken[i] = token.exchange(0, std::memory_order_relaxed);
    }

    void finish() {
        P::check(count.load(std::memory_order_relaxed) == 2 * rounds, "an increment was lost");
        P::check(taken[0] + taken[1] == 1, "an exchange was lost, or seen twice");
        P::reached("every increment counted");
    }
};

}  // namespace quiesce::models
