// From the engines' plans and the user's wishes to the runs.
#pragma once

#include <string>
#include <vector>

#include "tools/quiesce/engines.hpp"
#include "tools/quiesce/options.hpp"
#include "tools/quiesce/run.hpp"

namespace quiesce::frontend {

struct selection {
    std::vector<run> runs;
    /// Sentences about what was left out.
    std::vector<std::string> notes;
};

/// Keeps the engine that the user named; all if none was. Throws usage_error if nothing is left.
void keep_engines(std::vector<engine>& engines, const std::string& name);

/// Throws usage_error for names and searches that no engine has, and if there is nothing to run: a check of nothing
/// must not look like success.
selection select_runs(const std::vector<engine>& engines, const options& o);

}  // namespace quiesce::frontend
