#include "tools/quiesce/defect_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "tools/quiesce/text.hpp"
#include "tools/quiesce/usage_error.hpp"

namespace quiesce::frontend {

namespace {

constexpr std::string_view begin_mark = "<!-- begin of what `quiesce defects` writes -->\n";
constexpr std::string_view end_mark = "<!-- end of what `quiesce defects` writes -->\n";

struct column {
    const engine* of;
    bool sequential;
};

using results = std::map<std::pair<std::string, const engine*>, const run*>;

struct result_maps {
    results planned;
    results sequential;
};

bool found(const results& of, const std::string& defect) {
    return std::any_of(of.begin(), of.end(), [&](const auto& entry) {
        return entry.first.first == defect && entry.second->result.what == verdict::violated;
    });
}

std::string cell(std::string_view text) {
    return std::regex_replace(printable(text), std::regex("\\|"), "\\|");
}

std::string cell_of(const column& c, const defect_line& d, const result_maps& all) {
    const results& of = c.sequential ? all.sequential : all.planned;
    const auto at = of.find({d.name, c.of});
    if (at == of.end()) {
        const bool deep = std::any_of(c.of->plan.begin(), c.of->plan.end(),
                                      [&](const plan_line& p) { return p.case_name == d.name; });
        return deep ? "only with `--deep`" : "cannot tell";
    }
    const outcome& o = at->second->result;
    return fmt::format("{} after {} ({:.1f} s)", o.what == verdict::violated ? o.finding : std::string(name_of(o.what)),
                       o.iterations, o.seconds);
}

std::string row(std::vector<std::string> cells) {
    return "| " + joined(cells, " | ") + " |\n";
}

std::vector<std::string> lines_without_times(const std::string& text) {
    static const std::regex time(R"( \([0-9.]+ s\))");
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        lines.push_back(std::regex_replace(line, time, ""));
    }
    return lines;
}

struct place {
    std::size_t begin;
    std::size_t size;
};

place place_of_table(const std::string& document, const std::string& file) {
    const std::size_t begin = document.find(begin_mark);
    const std::size_t end = document.find(end_mark);
    if (begin == std::string::npos || end == std::string::npos || end < begin) {
        throw usage_error(
            fmt::format("'{}' has no place for a table of defects; it stands between the lines '{}' and "
                        "'{}'.",
                        file, begin_mark.substr(0, begin_mark.size() - 1), end_mark.substr(0, end_mark.size() - 1)));
    }
    return {begin + begin_mark.size(), end - begin - begin_mark.size()};
}

}  // namespace

std::string defect_table(const std::vector<engine>& engines, const std::vector<run>& runs) {
    std::vector<column> columns;
    std::vector<std::string> heads;
    result_maps all;
    std::map<std::string, const defect_line*> described;
    for (const engine& e : engines) {
        columns.push_back({&e, false});
        heads.push_back(e.name);
        if (std::count(e.about.searches.begin(), e.about.searches.end(), sequential_search) != 0) {
            columns.push_back({&e, true});
            heads.push_back(fmt::format("{}, sequentially consistent", e.name));
        }
        for (const defect_line& d : e.defects) {
            described.try_emplace(d.name, &d);
        }
        for (const run& r : runs) {
            if (r.engine == e.name) {
                (r.asked.search == sequential_search ? all.sequential : all.planned)[{r.asked.case_name, &e}] = &r;
            }
        }
    }
    std::vector<const defect_line*> listed;
    std::vector<const defect_line*> weak;
    for (const auto& [name, d] : described) {
        if (!d->id.empty()) {
            listed.push_back(d);
        } else if (found(all.planned, name) && !found(all.sequential, name)) {
            weak.push_back(d);
        }
    }
    std::sort(listed.begin(), listed.end(), [](const defect_line* a, const defect_line* b) {
        return std::tie(a->id, a->name) < std::tie(b->id, b->name);
    });

    const auto cells_of = [&](std::vector<std::string> cells, const defect_line& d) {
        for (const column& c : columns) {
            cells.push_back(cell_of(c, d, all));
        }
        return cells;
    };
    const auto head_of = [&](std::vector<std::string> cells) {
        cells.insert(cells.end(), heads.begin(), heads.end());
        return row(cells) + row(std::vector<std::string>(cells.size(), "---"));
    };
    std::string text = "\n" + head_of({"id", "defect", "source"});
    for (const defect_line* d : listed) {
        text += row(cells_of({d->id, fmt::format("`{}`: {}", d->name, cell(d->fault)), cell(d->source)}, *d));
    }
    text += fmt::format(
        "\nOf the other defects, {} in number, these {} are found and are not there for a sequentially consistent "
        "machine:\n\n",
        described.size() - listed.size(), weak.size());
    text += head_of({"defect"});
    for (const defect_line* d : weak) {
        text += row(cells_of({fmt::format("`{}`: {}", d->name, cell(d->fault))}, *d));
    }
    return text + "\n";
}

std::string table_in(const std::string& document, const std::string& file) {
    const place at = place_of_table(document, file);
    return document.substr(at.begin, at.size);
}

std::string with_table(const std::string& document, const std::string& table, const std::string& file) {
    const place at = place_of_table(document, file);
    std::string result = document;
    return result.replace(at.begin, at.size, table);
}

std::string difference_but_for_times(const std::string& written, const std::string& found) {
    const std::vector<std::string> before = lines_without_times(written);
    const std::vector<std::string> after = lines_without_times(found);
    const std::multiset<std::string> in_before(before.begin(), before.end());
    const std::multiset<std::string> in_after(after.begin(), after.end());
    std::string text;
    for (const std::string& line : before) {
        text += in_after.contains(line) ? "" : "- " + line + "\n";
    }
    for (const std::string& line : after) {
        text += in_before.contains(line) ? "" : "+ " + line + "\n";
    }
    // The same lines in another order, or another number of times.
    return text.empty() && before != after ? "The lines are the same, and their order is not.\n" : text;
}

}  // namespace quiesce::frontend
