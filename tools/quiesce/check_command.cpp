#include "tools/quiesce/check_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <system_error>

#include "tools/quiesce/engines.hpp"
#include "tools/quiesce/exit_code.hpp"
#include "tools/quiesce/json_report.hpp"
#include "tools/quiesce/junit_report.hpp"
#include "tools/quiesce/run_loop.hpp"
#include "tools/quiesce/selection.hpp"
#include "tools/quiesce/table.hpp"
#include "tools/quiesce/text.hpp"
#include "tools/quiesce/usage_error.hpp"

namespace quiesce::frontend {

namespace {

namespace fs = std::filesystem;

void prepare_directory(const fs::path& directory) {
    std::error_code error;
    fs::create_directories(directory, error);
    if (!fs::is_directory(directory) || access(directory.c_str(), W_OK | X_OK) != 0) {
        throw usage_error(fmt::format("the output directory '{}' cannot be written to.", directory.string()));
    }
}

// Hours of checking must not end with a report that has nowhere to go.
void prepare_file(const fs::path& file) {
    if (!file.empty() && !std::ofstream(file, std::ios::app)) {
        throw usage_error(fmt::format("the report '{}' cannot be written.", file.string()));
    }
}

bool write_file(const fs::path& file, const std::string& text) {
    if (file.empty()) {
        return true;
    }
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out << text;
    out.close();
    if (!out) {
        fmt::print(stderr, "quiesce: the report '{}' could not be written.\n", file.string());
    }
    return out.good();
}

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
