// Options from the environment.
#pragma once

#include <stdexcept>

#include <quiesce/explorer/explore.hpp>

namespace quiesce::explorer::detail {

/// Says in a sentence what cannot be read.
struct bad_environment : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Sets what a variable is there for; the names stand beside the fields.
void set_from_environment(options& how);

}  // namespace quiesce::explorer::detail
