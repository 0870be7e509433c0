#include "bench/options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

namespace quiesce::bench {

namespace {

// Numbers are read as signed and checked here, so that -1 is refused by name instead of wrapping around.
std::uint64_t between(std::int64_t least, std::int64_t most, const char* option, std::int64_t value) {
    if (value < least || value > most) {
        throw usage_error(fmt::format("{} must be from {} to {}, not {}.", option, least, most, value));
    }
    return static_cast<std::uint64_t>(value);
}

constexpr const char* footer =
    "Exit status: 0 everything was measured; 1 a measurement failed or missed a limit of memory; 2 wrong usage.";

}  // namespace

options parse_options(int argc, const char* const* argv) {
    options o;
    std::int64_t repeat = o.repeat;
    auto sections = static_cast<std::int64_t>(o.work.sections);
    auto objects = static_cast<std::int64_t>(o.work.objects);

    CLI::App app("Measures quiesce and other libraries side by side.", "quiesce-bench");
    app.footer(footer);
    app.add_option("--repeat", repeat, "Samples of each measurement, taken in turns")->capture_default_str();
    app.add_option("--seconds", o.work.seconds, "Length of a flood, at most 10")->capture_default_str();
    app.add_option("--objects", objects, "Objects that each thread frees in one sample")->capture_default_str();
    app.add_option("--sections", sections, "Read-side sections in one sample")->capture_default_str();
    app.add_option("--filter", o.filter, "Only the measurements whose TABLE/NAME, as --list shows it, contains this");
    app.add_option("--json", o.json, "Write every sample to this file");
    bool list = false;
    app.add_flag("--list", list, "Show the measurements, one line each, and take none");
    // How the program starts itself, so not in the help.
    const CLI::Option* const sample = app.add_option("--sample", o.sample)->group("");

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        if (e.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
            app.exit(e);
            o.what = action::nothing;
            return o;
        }
        throw usage_error(e.what());
    }

    o.repeat = static_cast<unsigned>(between(1, 1000, "--repeat", repeat));
    o.work.objects = between(1, 100'000'000, "--objects", objects);
    o.work.sections = between(1, 10'000'000'000, "--sections", sections);
    if (!(o.work.seconds > 0 && o.work.seconds <= 10)) {
        throw usage_error(fmt::format("--seconds must be more than 0 and at most 10, not {}.", o.work.seconds));
    }
    o.what = list ? action::list : sample->count() > 0 ? action::one_sample : action::measure;
    return o;
}

}  // namespace quiesce::bench
