// One run of Relacy over one scenario.
#pragma once

#include <cstdint>
#include <string>

#include "relacy_models/engine_protocol.hpp"
#include "relacy_models/relacy/registry.hpp"

namespace quiesce::models::relacy {

enum class search : std::uint8_t { random, bound, full };

struct run_options {
    search by = search::random;
    limits sizes;
    defect seeded = defect::none;
    /// Stop after that many iterations.
    std::uint64_t iterations = 10'000;
    /// Stop after that many seconds; 0 is no limit.
    double seconds = 0;
    /// Random search: the first iteration, which is what Relacy seeds its generator with.
    std::uint64_t seed = 0;
    /// Context-bound search: how many preemptions a schedule may have.
    unsigned bound = 2;
    /// Where the raw history of a failure goes.
    std::string history_file;
    /// Called about twice a second, between iterations.
    void (*progress)(std::uint64_t iterations, double seconds) = nullptr;
};

/// Runs it. Not re-entrant: the run's state is in relacy::current, whose reached labels are valid afterwards.
engine::result simulate(const entry& scenario, const run_options& options);

}  // namespace quiesce::models::relacy
