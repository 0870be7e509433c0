// `quiesce defects`: what each engine makes of each seeded defect, as a table for a document.
#pragma once

#include "tools/quiesce/options.hpp"
#include "tools/quiesce/stop_request.hpp"

namespace quiesce::frontend {

/// Runs every defect once on each engine that plans it, at the first size of its plan, and in the sequentially
/// consistent model where an engine has that search. Prints the table; or compares it, but for the times, with the one
/// in a file; or writes it there. Returns an exit status; throws usage_error.
int defects(const options& o, const stop_request& stop);

}  // namespace quiesce::frontend
