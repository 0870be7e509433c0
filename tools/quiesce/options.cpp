#include "tools/quiesce/options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdint>
#include <thread>

#include "tools/quiesce/usage_error.hpp"

namespace quiesce::frontend {

namespace {

// Numbers are read as signed and checked here, so that -1 is refused by name instead of wrapping around.
std::uint64_t at_least(std::int64_t least, const char* option, std::int64_t value) {
    if (value < least) {
        throw usage_error(fmt::format("{} must be at least {}, not {}.", option, least, value));
    }
    return static_cast<std::uint64_t>(value);
}

double positive_seconds(const char* option, double value) {
    // The upper limit keeps the value convertible to any clock's ticks.
    if (!(value > 0) || value > 1e9) {
        throw usage_error(fmt::format("{} must be a positive number of seconds, not {}.", option, value));
    }
    return value;
}

constexpr const char* footer =
    "Exit status: 0 everything was as expected; 1 an unexpected verdict; 2 wrong usage;\n"
    "3 nothing unexpected, but with --strict something stopped at a limit; 130 interrupted.";

}  // namespace

options parse_options(int argc, const char* const* argv) {
    options o;
    std::int64_t iterations = 0;
    std::int64_t seed = 0;
    std::int64_t jobs = std::max(1U, std::thread::hardware_concurrency());
    double seconds = 0;
    std::string search;

    CLI::App app("Runs the scenarios of quiesce, correct and with seeded defects, on model checkers.", "quiesce");
    app.set_version_flag("--version", "quiesce " QUIESCE_VERSION, "Print the version and exit");
    app.require_subcommand(1);
    app.footer(footer);

    CLI::App* list = app.add_subcommand("list", "Show scenarios, defects and engines, one line each");
    CLI::App* check = app.add_subcommand("check", "Run what the engines plan, and compare with what is expected");
    check->footer(footer);
    CLI::App* defects = app.add_subcommand(
        "defects", "Run every seeded defect once on each engine, and print a table of what is found");
    CLI::App* litmus =
        app.add_subcommand("litmus", "Explore litmus programs, and print where the known answers differ");
    litmus->add_option("FILE", o.files, "Tables of programs, tab-separated; proofs/README.md has the notation")
        ->required();
    litmus->add_option("--model", o.model, "rc11, cpp20 or sc")->capture_default_str();
    for (CLI::App* sub : {list, check}) {
        sub->add_option("--engine", o.engine, "Only this engine");
    }
    for (CLI::App* sub : {list, check, defects}) {
        sub->add_option("--engine-dir", o.engine_dir, "Look for engines in this directory only");
        sub->add_option("--hang-timeout", o.hang_timeout, "Seconds of silence after which an engine is stopped")
            ->capture_default_str();
    }
    check->add_option("NAME", o.names, "Cases to run; a scenario stands for its correct case and all its defects");
    CLI::Option* search_option = check->add_option(
        "--scheduler", search, "A search that an engine has, instead of the plan's; `list` names them");
    CLI::Option* iterations_option =
        check->add_option("--iterations", iterations, "Executions per run, instead of the plan's number");
    CLI::Option* time_option = check->add_option("--time", seconds, "Seconds per run, instead of the plan's limit");
    CLI::Option* seed_option = check->add_option("--seed", seed, "Seed of random searches");
    for (CLI::App* sub : {check, defects}) {
        sub->add_option("--jobs", jobs, "Runs at once")->capture_default_str();
        sub->add_option("--out", o.out, "Directory for traces and the stderr of failed engines")->capture_default_str();
    }
    std::filesystem::path updated;
    CLI::Option* compare_option =
        defects->add_option("--compare", o.document, "Compare with the table in this document; times may differ");
    CLI::Option* update_option =
        defects->add_option("--update", updated, "Write the table into this document")->excludes(compare_option);
    check->add_option("--junit", o.junit, "Write a JUnit report to this file");
    check->add_option("--json", o.json, "Write a JSON report to this file");
    check->add_flag("--deep", o.deep, "Make the runs too that take long, each with a time limit");
    check->add_flag("--strict", o.strict, "Exit with 3 if a run stopped at a limit");

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        if (e.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
            app.exit(e);
            return o;
        }
        throw usage_error(e.what());
    }

    o.what = list->parsed()      ? command::list
             : litmus->parsed()  ? command::litmus
             : defects->parsed() ? command::defects
                                 : command::check;
    if (update_option->count() > 0) {
        o.document = updated;
        o.update = true;
    }
    o.hang_timeout = positive_seconds("--hang-timeout", o.hang_timeout);
    o.jobs = static_cast<unsigned>(std::min<std::uint64_t>(at_least(1, "--jobs", jobs), 4096));
    if (search_option->count() > 0) {
        o.instead_of_plan.search = search;
    }
    if (iterations_option->count() > 0) {
        o.instead_of_plan.iterations = at_least(1, "--iterations", iterations);
    }
    if (time_option->count() > 0) {
        o.instead_of_plan.seconds = positive_seconds("--time", seconds);
    }
    if (seed_option->count() > 0) {
        o.instead_of_plan.seed = at_least(0, "--seed", seed);
    }
    return o;
}

}  // namespace quiesce::frontend
