// Carrying out the runs.
#pragma once

#include <vector>

#include "tools/quiesce/engine_process.hpp"
#include "tools/quiesce/progress.hpp"
#include "tools/quiesce/run.hpp"
#include "tools/quiesce/stop_request.hpp"

namespace quiesce::frontend {

/// Fills in the results. Runs that already have one (engines that could not describe themselves) are left alone. False
/// if the user asked to stop: what has not finished stays `interrupted`.
bool carry_out(std::vector<run>& runs, const process_limits& limits, const stop_request& stop, progress& shown);

/// Keeps an engine's last words for the user; remembers in the run whether there is a file.
void keep_stderr(run& r, const std::string& tail);

}  // namespace quiesce::frontend
