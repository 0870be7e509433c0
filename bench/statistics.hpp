// Few numbers that say what many samples say.
#pragma once

#include <optional>
#include <vector>

namespace quiesce::bench {

/// The middle value, or the mean of the two middle ones. Requires: not empty.
double median(std::vector<double> values);

struct spread {
    double median = 0;
    double min = 0;
    double max = 0;
};

/// Nothing when there are no values.
std::optional<spread> spread_of(const std::vector<double>& values);

/// How many times the reference a value is; nothing where the reference is missing or zero.
std::optional<double> ratio(std::optional<double> value, std::optional<double> reference);

}  // namespace quiesce::bench
