#include "tools/quiesce/check_command.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tools/quiesce/engines.hpp"
#include "tools/quiesce/exit_code.hpp"
#include "tools/quiesce/json_report.hpp"
#include "tools/quiesce/junit_report.hpp"
#include "tools/quiesce/output_files.hpp"
#include "tools/quiesce/run_loop.hpp"
#include "tools/quiesce/selection.hpp"
#include "tools/quiesce/table.hpp"
#include "tools/quiesce/text.hpp"

namespace quiesce::frontend {

namespace {

int exit_code_of(const std::vector<run>& runs, bool interrupted, bool strict) {
    const tally t = count(runs);
    if (interrupted) {
        return exit_interrupted;
    }
    if (t.failed > 0) {
        return exit_unexpected;
    }
    return strict && t.stopped_at_limit > 0 ? exit_stopped_at_limit : exit_as_expected;
}

}  // namespace

int check(const options& o, const stop_request& stop) {
    const process_limits limits{o.jobs, o.hang_timeout};
    std::vector<engine> engines = find_engines(o.engine_dir);
    if (!describe_engines(engines, limits, stop)) {
        return exit_interrupted;
    }
    keep_engines(engines, o.engine);
    for (const engine& e : engines) {
        if (!e.failure.empty()) {
            fmt::print(stderr, "quiesce: {}.\n", printable(e.failure));
        }
    }
    selection selected = select_runs(engines, o);
    prepare_directory(o.out);
    prepare_file(o.junit);
    prepare_file(o.json);
    for (const std::string& note : selected.notes) {
        fmt::print(stderr, "quiesce: {}\n", printable(note));
    }
    std::vector<run>& runs = selected.runs;
    for (const engine& e : engines) {
        for (run& r : runs) {
            if (!e.failure.empty() && r.executable == e.executable) {
                keep_stderr(r, e.stderr_tail);
            }
        }
    }

    progress shown(stdout, runs.size());
    const bool completed = carry_out(runs, limits, stop, shown);
    fmt::print("{}", final_table(runs, o.out));
    std::fflush(stdout);
    const report all{o, engines, runs, !completed};
    const bool json_written = write_file(o.json, o.json.empty() ? "" : json_report(all));
    const bool junit_written = write_file(o.junit, o.junit.empty() ? "" : junit_report(all));
    const int code = exit_code_of(runs, !completed, o.strict);
    return code == exit_as_expected && !(json_written && junit_written) ? exit_wrong_usage : code;
}

}  // namespace quiesce::frontend
