// The user asked for something that cannot be.
#pragma once

#include <stdexcept>

namespace quiesce::frontend {

/// `what()` is one sentence. The program ends with exit_code::wrong_usage.
struct usage_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

}  // namespace quiesce::frontend
