#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "bench/reports.hpp"

namespace quiesce::bench {

namespace {

using cells = std::vector<std::string>;

#ifdef __clang__
constexpr const char* compiler = "clang " __clang_version__;
#else
constexpr const char* compiler = "g++ " __VERSION__;
#endif

std::string number(std::optional<double> value, int decimals) {
    return value ? fmt::format("{:.{}f}", *value, decimals) : "-";
}

/// Digits that count, because a ratio may be of any size.
std::string ratio_text(std::optional<double> value) {
    if (!value) {
        return "-";
    }
    return *value < 0.1 ? fmt::format("{:.4f}", *value) : fmt::format("{:.2f}", *value);
}

cells cells_of(const row& r, const table& t) {
    const group_description& about = describe(t.about);
    const std::optional<spread> s = spread_of(r.values);
    const std::optional<spread> processor = spread_of(r.processor);
    const bool processor_known = processor && processor->max > 0;
    std::string note = r.note;
    if (r.what.limit > 0 && s) {
        note += fmt::format("; {} {:.0f} {}", r.over_limit() ? "OVER" : "under", r.what.limit, about.unit);
    }
    if (!r.failure.empty()) {
        note = "FAILED: " + r.failure;
    }
    return {r.what.name,
            s ? number(s->median, about.decimals) : "-",
            s ? fmt::format("{:.{}f}..{:.{}f}", s->min, about.decimals, s->max, about.decimals) : "-",
            processor_known ? number(processor->median, about.decimals) : "-",
            ratio_text(ratio(r.median(), t.reference())),
            r.what.whose == side::ours ? ratio_text(ratio(r.median(), t.best_rival())) : "",
            note};
}

std::string aligned(const std::vector<cells>& rows) {
    std::vector<std::size_t> widths;
    for (const cells& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], row[i].size());
        }
    }
    std::string text;
    for (const cells& row : rows) {
        // Names to the left, numbers to the right, and the note as it comes.
        std::string line = fmt::format("  {:<{}}", row.front(), widths.front());
        for (std::size_t i = 1; i + 1 < row.size(); ++i) {
            line += fmt::format("  {:>{}}", row[i], widths[i]);
        }
        line += "  " + row.back();
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + '\n';
    }
    return text;
}

}  // namespace

std::string heading(const options& o) {
    double load = 0;
    getloadavg(&load, 1);
    std::string text = fmt::format(
        "{} processors, load {:.1f} of other work; {}\n"
        "{} samples of each, in turns; {} objects for each thread, {} sections, {} s floods\n",
        std::thread::hardware_concurrency(), load, compiler, o.repeat, o.work.objects, o.work.sections, o.work.seconds);
#if QUIESCE_CHECKED
    text += "quiesce is built with QUIESCE_CHECKED here, which costs time: compare a build of the preset release.\n";
#endif
    return text;
}

std::string text_of(const table& t) {
    const group_description& about = describe(t.about);
    std::vector<cells> rows{{"", "median", "min..max", "cpu", "ratio", "to best rival", ""}};
    for (const row& r : t.rows) {
        rows.push_back(cells_of(r, t));
    }
    return fmt::format("\n{} ({}); ratio to: {}\n", about.title, about.unit, about.reference) + aligned(rows);
}

std::string text_of(const std::vector<absent_library>& absent) {
    std::string text;
    for (const absent_library& a : absent) {
        text += fmt::format("  {}: skipped, because {} was not there when this was configured\n", a.name, a.package);
    }
    return text.empty() ? text : "\n" + text;
}

}  // namespace quiesce::bench
