// Runs a scenario on real threads, again and again, for a time.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "relacy_models/scenario.hpp"
#include "tsan_tests/stress/core_instantiation.hpp"

namespace quiesce::stress {

struct stress_result {
    std::uint64_t iterations;
    std::uint64_t failures;
    std::uint64_t reached;
    const char* first_failure;
};

/// Repeats the scenario until the time is up, or until a check fails when a defect is seeded.
template <template <class> class Scenario>
stress_result run_scenario(const models::named_limits& sizes, defect seeded, std::uint64_t seed,
                           std::chrono::milliseconds time) {
    using scenario = Scenario<stress_platform>;
    current.sizes = sizes.sizes;
    current.seeded = seeded;
    current.failures = 0;
    current.first_failure = nullptr;
    current.reached = 0;
    const auto deadline = std::chrono::steady_clock::now() + time;
    std::uint64_t iterations = 0;
    while (std::chrono::steady_clock::now() < deadline && (seeded == defect::none || current.failures == 0)) {
        seed_thread(seed + iterations * 64);
        {
            const auto under_test = std::make_unique<scenario>();
            {
                std::atomic<unsigned> waiting{scenario::info.threads};
                std::vector<std::jthread> threads;
                for (unsigned i = 0; i != scenario::info.threads; ++i) {
                    threads.emplace_back([&, i] {
                        seed_thread(seed + iterations * 64 + i + 1);
                        waiting.fetch_sub(1);
                        while (waiting.load() != 0) {
                        }
                        under_test->thread(i);
                    });
                }
            }
            under_test->finish();
        }
        release_kept();
        ++iterations;
    }
    return {iterations, current.failures, current.reached, current.first_failure};
}

}  // namespace quiesce::stress
