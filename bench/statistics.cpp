#include "bench/statistics.hpp"

#include <algorithm>

namespace quiesce::bench {

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::optional<spread> spread_of(const std::vector<double>& values) {
    if (values.empty()) {
        return std::nullopt;
    }
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    return spread{median(values), *least, *most};
}

std::optional<double> ratio(std::optional<double> value, std::optional<double> reference) {
    if (!value || !reference || *reference == 0) {
        return std::nullopt;
    }
    return *value / *reference;
}

}  // namespace quiesce::bench
