// The command line of quiesce-bench.
#pragma once

#include <stdexcept>
#include <string>

#include "bench/measurement.hpp"

namespace quiesce::bench {

enum class action : std::uint8_t { nothing, measure, list, one_sample };

struct options {
    action what = action::measure;
    unsigned repeat = 5;
    workload work;
    /// Only measurements whose key contains it.
    std::string filter;
    /// Empty: no report.
    std::string json;
    /// The key of the measurement of which a child process takes one sample.
    std::string sample;
};

/// Its text is one sentence.
struct usage_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Prints help itself, and then returns action::nothing. Throws usage_error.
options parse_options(int argc, const char* const* argv);

}  // namespace quiesce::bench
