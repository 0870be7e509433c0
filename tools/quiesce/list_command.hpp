// quiesce list
#pragma once

#include "tools/quiesce/options.hpp"
#include "tools/quiesce/stop_request.hpp"

namespace quiesce::frontend {

/// The exit code. Throws usage_error.
int list(const options& o, const stop_request& stop);

}  // namespace quiesce::frontend
