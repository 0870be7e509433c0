// quiesce check
#pragma once

#include "tools/quiesce/options.hpp"
#include "tools/quiesce/stop_request.hpp"

namespace quiesce::frontend {

/// The exit code. Throws usage_error.
int check(const options& o, const stop_request& stop);

}  // namespace quiesce::frontend
