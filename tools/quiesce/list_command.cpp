#include "tools/quiesce/list_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "tools/quiesce/engines.hpp"
#include "tools/quiesce/exit_code.hpp"
#include "tools/quiesce/selection.hpp"
#include "tools/quiesce/table.hpp"
#include "tools/quiesce/text.hpp"

namespace quiesce::frontend {

namespace {

// What several engines share is listed once, with all their names.
struct listed {
    std::vector<std::string> columns;
    std::vector<std::string> engines;
    std::string sentence;
};

class listing {
public:
    void add(const std::string& name, std::vector<std::string> columns, const std::string& engine,
             const std::string& sentence) {
        const auto [at, fresh] = index_.try_emplace(name, entries_.size());
        if (fresh) {
            entries_.push_back({std::move(columns), {}, sentence});
        }
        entries_[at->second].engines.push_back(engine);
    }

    void append_to(std::vector<std::vector<std::string>>& rows) const {
        for (const listed& l : entries_) {
            rows.push_back(l.columns);
            rows.back().push_back(joined(l.engines, ","));
            rows.back().push_back(l.sentence);
        }
    }

private:
    std::vector<listed> entries_;
    std::map<std::string, std::size_t> index_;
};

}  // namespace

int list(const options& o, const stop_request& stop) {
    std::vector<engine> engines = find_engines(o.engine_dir);
    if (!describe_engines(engines, {o.jobs, o.hang_timeout}, stop)) {
        return exit_interrupted;
    }
    keep_engines(engines, o.engine);
    std::vector<std::vector<std::string>> rows;
    listing scenarios;
    listing defects;
    bool failed = false;
    for (const engine& e : engines) {
        if (!e.failure.empty()) {
            fmt::print(stderr, "quiesce: {}.\n", printable(e.failure));
            failed = true;
            continue;
        }
        rows.push_back({"engine", e.name, e.about.version, "-", "searches: " + joined(e.about.searches, ", ")});
        for (const scenario_line& s : e.scenarios) {
            scenarios.add(s.name, {"scenario", s.name, s.contract}, e.name, s.property);
        }
        for (const defect_line& d : e.defects) {
            defects.add(d.name, {"defect", d.name, d.id.empty() ? "-" : d.id}, e.name, d.fault);
        }
    }
    scenarios.append_to(rows);
    defects.append_to(rows);
    fmt::print("{}", aligned(rows));
    return failed ? exit_unexpected : exit_as_expected;
}

}  // namespace quiesce::frontend
