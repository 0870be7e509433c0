// `quiesce litmus`: programs with known answers, under the explorer.
#pragma once

#include "tools/quiesce/exit_code.hpp"
#include "tools/quiesce/options.hpp"

namespace quiesce::frontend {

/// Recomputes every row of the files and prints those that differ. Throws usage_error when a file cannot be read.
exit_code litmus(const options& o);

}  // namespace quiesce::frontend
