// What would be static in a platform, for the scenarios that the explorer runs.
#pragma once

#include <array>
#include <cstdint>

#include "quiesce/defect.hpp"
#include "quiesce/limits.hpp"
#include "relacy_models/model_thread_slot.hpp"
#include "relacy_models/reached_labels.hpp"

namespace quiesce::models::proofs {

/// The scenario's threads and, as the first, the code that runs alone before and after them.
inline constexpr unsigned max_threads = 8;

/// For a whole exploration.
struct run_settings {
    limits sizes;
    defect seeded = defect::none;
};
inline run_settings settings;

/// For one execution.
struct instance {
    std::array<bool, max_threads> allocations_may_fail{};
    std::array<unsigned, max_threads> shard{};
    std::array<std::uint64_t, max_threads> clock{};
    slot_list slots;
};
inline instance* current = nullptr;

/// Over all executions of an exploration.
inline reached_labels reached;

}  // namespace quiesce::models::proofs
