#include "tools/quiesce/names.hpp"

#include <algorithm>
#include <numeric>

namespace quiesce::frontend {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t above = row[j + 1];
            const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
            row[j + 1] = std::min({above + 1, row[j] + 1, replaced});
            diagonal = above;
        }
    }
    return row.back();
}

std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates) {
    const auto nearest = std::min_element(
        candidates.begin(), candidates.end(),
        [&](const std::string& a, const std::string& b) { return edit_distance(name, a) < edit_distance(name, b); });
    return nearest == candidates.end() ? std::string() : *nearest;
}

}  // namespace quiesce::frontend
