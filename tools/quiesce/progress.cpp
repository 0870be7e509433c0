#include "tools/quiesce/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "tools/quiesce/table.hpp"
#include "tools/quiesce/text.hpp"

namespace quiesce::frontend {

namespace {

winsize size_of_terminal(std::FILE* terminal) {
    winsize size{};
    if (ioctl(fileno(terminal), TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
        size.ws_col = 80;
        size.ws_row = 24;
    }
    return size;
}

std::string of_about(const progress_line& p) {
    return p.expected ? fmt::format(" of about {:.2g} ({:.2g} to {:.2g})", p.expected->estimate, p.expected->at_least,
                                    p.expected->at_most)
                      : std::string();
}

}  // namespace

progress::progress(std::FILE* to, std::size_t total) : to_(to), terminal_(isatty(fileno(to)) == 1), total_(total) {}

void progress::started(const run& r) {
    running_[&r] = {clock::now(), {}};
}

void progress::advanced(const run& r, const progress_line& p) {
    running_[&r].said = p;
}

void progress::finished(const run& r) {
    running_.erase(&r);
    ++finished_;
    if (!terminal_) {
        fmt::print(to_, "[{}/{}] {}\n", finished_, total_, printable(one_line(r)));
        std::fflush(to_);
    }
}

void progress::clear() {
    if (lines_ > 0) {
        fmt::print(to_, "\r\x1b[{}A\x1b[J", lines_);
        std::fflush(to_);
        lines_ = 0;
    }
}

void progress::redraw() {
    const clock::time_point now = clock::now();
    if (!terminal_ || now - last_redraw_ < std::chrono::milliseconds(100)) {
        return;
    }
    last_redraw_ = now;
    const winsize size = size_of_terminal(to_);
    // A wrapped line, or more lines than the terminal has, could not be taken back by moving the cursor up.
    const std::size_t columns = size.ws_col - 1U;
    const std::size_t rows = std::max<std::size_t>(size.ws_row, 3) - 2;
    std::string text = fmt::format("{} of {} runs finished, {} running\n", finished_, total_, running_.size());
    std::size_t lines = 1;
    for (const auto& [r, s] : running_) {
        if (lines >= rows) {
            break;
        }
        const double rate = s.said.seconds > 0 ? static_cast<double>(s.said.iterations) / s.said.seconds : 0;
        const double elapsed = std::chrono::duration<double>(now - s.begin).count();
        const std::string line =
            fmt::format("  {:>8.1f} s {:>12} executions{} {:>10.0f}/s  {} [{}]", elapsed, s.said.iterations,
                        of_about(s.said), rate, r->asked.case_name, search_of(*r));
        text += printable(std::string_view(line).substr(0, columns)) + '\n';
        ++lines;
    }
    clear();
    fmt::print(to_, "{}", text);
    std::fflush(to_);
    lines_ = lines;
}

}  // namespace quiesce::frontend
