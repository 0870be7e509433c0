// A plan in a file, from which another process goes on.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>

#include "proofs/explorer/src/plan.hpp"

namespace quiesce::explorer::detail {

/// What is wrong with the file, in a sentence.
struct checkpoint_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct saved_plan {
    detail::plan plan;
    /// Spent so far.
    double seconds = 0;
};

/// Nothing if there is no such file. Throws checkpoint_error for one that is damaged or was written with other options.
std::optional<saved_plan> load_checkpoint(const options& how);
/// Replaces the file, or throws checkpoint_error and leaves it as it was.
void save_checkpoint(const options& how, const saved_plan& saved);
void remove_checkpoint(const options& how);

}  // namespace quiesce::explorer::detail
