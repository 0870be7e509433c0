// Lists that are written as text, as the findings and the sizes of a scenario are.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace quiesce::models {

inline std::vector<std::string> split(std::string_view text, char at) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(at), text.size());
        parts.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

/// The parts of a list whose separators are blanks.
inline std::vector<std::string> words(std::string_view text) {
    return split(text, ' ');
}

inline bool lists(std::string_view text, std::string_view word) {
    const std::vector<std::string> all = words(text);
    return std::find(all.begin(), all.end(), word) != all.end();
}

}  // namespace quiesce::models
