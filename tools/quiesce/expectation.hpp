// Which outcomes are accepted, and whether a set of outcomes passes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/quiesce/run.hpp"

namespace quiesce::frontend {

/// What the user asked for instead of the plan's own values.
struct overrides {
    std::optional<std::string> search;
    std::optional<std::uint64_t> iterations;
    std::optional<double> seconds;
    std::optional<std::uint64_t> seed;
};

/// The plan's expectation, relaxed where the user's overrides make other outcomes innocent. A defect stays a defect:
/// it must be caught by any search at any budget, or the user must see that it was not.
std::vector<std::string> accepted_outcomes(const plan_line& plan, bool is_defect, const overrides& o);

/// Sets `as_expected` and `engines_disagree`.
void judge(std::vector<run>& runs);

struct tally {
    std::size_t passed = 0;
    std::size_t failed = 0;
    std::size_t interrupted = 0;
    /// Passed, but something may have been left unvisited.
    std::size_t stopped_at_limit = 0;
};

tally count(const std::vector<run>& runs);

}  // namespace quiesce::frontend
