// What the user sees while runs are going on.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>

#include "tools/quiesce/run.hpp"

namespace quiesce::frontend {

/// On a terminal, a line per running case, redrawn in place; elsewhere a line per finished run.
class progress {
public:
    progress(std::FILE* to, std::size_t total);

    void started(const run& r);
    void advanced(const run& r, const progress_line& p);
    void finished(const run& r);
    void redraw();
    /// Removes the status lines.
    void clear();

private:
    using clock = std::chrono::steady_clock;
    struct status {
        clock::time_point begin;
        progress_line said;
    };

    std::FILE* to_;
    bool terminal_;
    std::size_t total_;
    std::size_t finished_ = 0;
    std::size_t lines_ = 0;
    clock::time_point last_redraw_{};
    std::map<const run*, status> running_;
};

}  // namespace quiesce::frontend
