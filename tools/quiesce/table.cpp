#include "tools/quiesce/table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tools/quiesce/expectation.hpp"
#include "tools/quiesce/text.hpp"

namespace quiesce::frontend {

std::string search_of(const run& r) {
    if (r.asked.search == "-") {
        return "-";
    }
    const std::string search = r.asked.search == "bound" ? fmt::format("bound {}", r.asked.bound) : r.asked.search;
    return fmt::format("{}, size {}", search, r.asked.size);
}

std::string verdict_of(const run& r) {
    switch (r.result.what) {
        case verdict::violated: return "violated: " + r.result.finding;
        case verdict::exhausted: return r.scope.empty() ? "exhausted" : fmt::format("exhausted ({})", r.scope);
        default: return std::string(name_of(r.result.what));
    }
}

std::string mark_of(const run& r) {
    const std::string mark = r.result.what == verdict::interrupted ? "interrupted"
                             : r.as_expected                       ? "ok"
                                                                   : "UNEXPECTED";
    return r.engines_disagree ? mark + ", ENGINES DISAGREE" : mark;
}

std::string one_line(const run& r) {
    std::string line = fmt::format("{} {} [{}] {} in {:.1f} s: {}", r.engine, r.asked.case_name, search_of(r),
                                   verdict_of(r), r.result.seconds, mark_of(r));
    if (!r.as_expected && !r.result.message.empty()) {
        line += fmt::format(" ({})", r.result.message);
    }
    return line;
}

std::string aligned(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const std::vector<std::string>& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], row[i].size());
        }
    }
    std::string text;
    for (const std::vector<std::string>& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += printable(row[i]);
            if (i + 1 < row.size()) {
                line.append(widths[i] - row[i].size() + 2, ' ');
            }
        }
        text += line + '\n';
    }
    return text;
}

// One sentence for each case and size that engines disagree about; their rows are adjacent.
std::string disagreements(const std::vector<run>& runs) {
    std::string text;
    const run* before = nullptr;
    for (const run& r : runs) {
        if (!r.engines_disagree) {
            continue;
        }
        const bool same =
            before != nullptr && before->asked.case_name == r.asked.case_name && before->asked.size == r.asked.size;
        text += same ? "; "
                     : fmt::format("{}ENGINES DISAGREE about {}, size {}: ", text.empty() ? "" : "\n",
                                   r.asked.case_name, r.asked.size);
        text += fmt::format("{} says {}", r.engine, verdict_of(r));
        before = &r;
    }
    return text.empty() ? text : text + "\n";
}

std::string final_table(const std::vector<run>& runs, const std::filesystem::path& out) {
    std::vector<std::vector<std::string>> rows{
        {"CASE", "ID", "ENGINE", "SEARCH", "ITERATIONS", "TIME", "VERDICT", "EXPECTED", "MARK"}};
    bool defect_traces = false;
    std::string attention;
    for (const run& r : runs) {
        rows.push_back({r.asked.case_name, r.defect_id.empty() ? "-" : r.defect_id, r.engine, search_of(r),
                        std::to_string(r.result.iterations), fmt::format("{:.1f} s", r.result.seconds), verdict_of(r),
                        r.asked.expect.empty() ? "-" : joined(r.asked.expect, " or "), mark_of(r)});
        if (r.as_expected) {
            defect_traces = defect_traces || r.result.trace_written;
        } else if (r.result.what != verdict::interrupted) {
            attention +=
                fmt::format("UNEXPECTED {} [{}, {}]: {}\n", r.asked.case_name, r.engine, search_of(r), verdict_of(r));
            if (!r.result.message.empty()) {
                attention += fmt::format("  {}\n", r.result.message);
            }
            if (r.result.trace_written) {
                attention += fmt::format("  trace:  {}\n", r.trace.string());
            }
            if (r.result.stderr_kept) {
                attention += fmt::format("  stderr: {}\n", r.stderr_tail.string());
            }
        }
    }
    attention += disagreements(runs);
    std::string text = "\n" + aligned(rows) + "\n";
    if (!attention.empty()) {
        text += attention + "\n";
    }
    if (defect_traces) {
        text += fmt::format("The traces of the caught defects are in {}.\n\n", out.string());
    }
    const tally t = count(runs);
    if (t.interrupted > 0) {
        text += fmt::format("{} interrupted\n", t.interrupted);
    }
    return text + fmt::format("{} passed, {} failed\n", t.passed, t.failed);
}

}  // namespace quiesce::frontend
