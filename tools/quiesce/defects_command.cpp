#include "tools/quiesce/defects_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include "tools/quiesce/defect_table.hpp"
#include "tools/quiesce/engines.hpp"
#include "tools/quiesce/exit_code.hpp"
#include "tools/quiesce/output_files.hpp"
#include "tools/quiesce/run_loop.hpp"
#include "tools/quiesce/selection.hpp"
#include "tools/quiesce/text.hpp"
#include "tools/quiesce/usage_error.hpp"

namespace quiesce::frontend {

namespace {

/// Of a run in which there may be nothing to find, and which nobody has planned. Several times what the longest one
/// takes, so that a busy machine writes the same table.
constexpr double sequential_seconds = 300;

std::string contents_of(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    if (!in) {
        throw usage_error(fmt::format("the document '{}' cannot be read.", file.string()));
    }
    return text.str();
}

/// The first run of each defect on each engine.
void keep_one_of_each_defect(std::vector<run>& runs) {
    std::set<std::pair<std::string, std::string>> had;
    std::erase_if(runs, [&](const run& r) {
        return r.asked.case_name == r.scenario || !had.emplace(r.asked.case_name, r.engine).second;
    });
}

std::vector<run> planned_runs(const std::vector<engine>& engines, const options& o) {
    std::vector<run> runs = select_runs(engines, o).runs;
    keep_one_of_each_defect(runs);
    return runs;
}

std::vector<run> sequential_runs(std::vector<engine> engines, options o) {
    std::erase_if(engines, [](const engine& e) {
        return std::count(e.about.searches.begin(), e.about.searches.end(), sequential_search) == 0;
    });
    if (engines.empty()) {
        return {};
    }
    o.instead_of_plan.search = sequential_search;
    o.instead_of_plan.seconds = sequential_seconds;
    std::vector<run> runs = select_runs(engines, o).runs;
    keep_one_of_each_defect(runs);
    for (run& r : runs) {
        r.asked.expect.insert(r.asked.expect.end(), {"exhausted", "timed_out"});
    }
    return runs;
}

}  // namespace

int defects(const options& o, const stop_request& stop) {
    const std::string document = o.document.empty() ? "" : contents_of(o.document);
    const std::string written = o.document.empty() ? "" : table_in(document, o.document.string());
    const process_limits limits{o.jobs, o.hang_timeout};
    std::vector<engine> engines = find_engines(o.engine_dir);
    if (!describe_engines(engines, limits, stop)) {
        return exit_interrupted;
    }
    for (const engine& e : engines) {
        if (!e.failure.empty()) {
            throw usage_error(fmt::format("{}.", printable(e.failure)));
        }
    }
    prepare_directory(o.out);
    std::vector<run> runs = planned_runs(engines, o);
    std::vector<run> sequential = sequential_runs(engines, o);
    std::move(sequential.begin(), sequential.end(), std::back_inserter(runs));

    progress shown(stderr, runs.size());
    if (!carry_out(runs, limits, stop, shown)) {
        return exit_interrupted;
    }
    int code = exit_as_expected;
    for (const run& r : runs) {
        if (!r.as_expected) {
            code = exit_unexpected;
        }
    }
    const std::string table = defect_table(engines, runs);
    if (o.document.empty()) {
        fmt::print("{}", table);
    } else if (o.update) {
        if (!write_file(o.document, with_table(document, table, o.document.string()))) {
            return exit_wrong_usage;
        }
    } else if (const std::string difference = difference_but_for_times(written, table); !difference.empty()) {
        fmt::print("'{}' has another table of defects than there is; `quiesce defects --update FILE` writes it:\n{}",
                   o.document.string(), difference);
        code = exit_unexpected;
    }
    return code;
}

}  // namespace quiesce::frontend
