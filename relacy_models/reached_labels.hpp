// The situations that executions came to, of those that a scenario is about.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace quiesce::models {

class reached_labels {
public:
    struct entry {
        std::string_view label;
        std::uint64_t executions = 0;
        bool in_this_one = false;
    };

    void begin_execution() {
        for (entry& e : entries_) {
            e.in_this_one = false;
        }
    }

    /// Free of allocation: it is called inside an execution.
    void reach(std::string_view label) {
        for (entry& e : entries_) {
            if (e.label == label || e.label.empty()) {
                e.label = label;
                e.executions += e.in_this_one ? 0 : 1;
                e.in_this_one = true;
                return;
            }
        }
    }

    /// Those with a label.
    std::span<const entry> all() const {
        const auto end = std::find_if(entries_.begin(), entries_.end(), [](const entry& e) { return e.label.empty(); });
        return {entries_.begin(), end};
    }

    /// The labels among `wanted` that no execution reached, as a list; empty when each was.
    std::string missing(std::span<const std::string_view> wanted) const {
        std::string list;
        for (const std::string_view label : wanted) {
            if (std::none_of(entries_.begin(), entries_.end(), [&](const entry& e) { return e.label == label; })) {
                list += list.empty() ? "" : "; ";
                list += label;
            }
        }
        return list;
    }

private:
    std::array<entry, 8> entries_{};
};

}  // namespace quiesce::models
