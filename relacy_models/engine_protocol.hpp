// What every engine of scenarios says and is told in the engine protocol (docs/engine_protocol.md).
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "relacy_models/reached_labels.hpp"
#include "relacy_models/scenario.hpp"
#include "relacy_models/words.hpp"

namespace quiesce::models::engine {

using nlohmann::json;

/// The engine's name, for what is said when it is used wrongly.
inline const char* name = "";

inline void print_line(const json& j) {
    const std::string text = j.dump() + "\n";
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

[[noreturn]] inline void usage_error(const std::string& sentence) {
    std::fprintf(stderr, "quiesce-engine-%s: %s\n", name, sentence.c_str());
    std::exit(2);
}

template <class Number>
Number number(const std::string& option, const std::string& text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        usage_error(option + " takes a number, not '" + text + "'.");
    }
    return value;
}

/// A scenario, with a defect or without: what the protocol calls a case.
struct subject {
    const scenario_info* scenario = nullptr;
    const defect_info* fault = nullptr;

    std::string name() const {
        return std::string(scenario->name) + (fault == nullptr ? "" : "__" + std::string(fault->fault));
    }
    defect seeded() const { return fault == nullptr ? defect::none : fault->seeded; }

    bool runs_with(std::string_view size) const {
        return (scenario->sizes.empty() || lists(scenario->sizes, size)) &&
               (fault == nullptr || lists(fault->sizes, size));
    }
    bool runs_on(std::string_view engine) const {
        return fault == nullptr || fault->engines.empty() || lists(fault->engines, engine);
    }
    const limits& sizes(const std::string& size) const {
        for (const named_limits& l : model_sizes) {
            if (l.name == size && runs_with(size)) {
                return l.sizes;
            }
        }
        usage_error("'" + name() + "' does not run with a size '" + size + "'.");
    }
};

/// The scenarios that an engine registered as a list, ordered by name.
template <class Entry>
std::vector<const Entry*> by_name(const Entry* first) {
    std::vector<const Entry*> all;
    for (const Entry* e = first; e != nullptr; e = e->next) {
        all.push_back(e);
    }
    std::sort(all.begin(), all.end(), [](const Entry* a, const Entry* b) { return a->info->name < b->info->name; });
    return all;
}

/// Of a scenario: the correct case first.
inline std::vector<subject> subjects_of(const scenario_info& s) {
    std::vector<subject> all{{&s, nullptr}};
    for (const defect_info& d : s.defects) {
        all.push_back({&s, &d});
    }
    return all;
}

inline void describe(const subject& s) {
    const scenario_info& info = *s.scenario;
    if (s.fault != nullptr) {
        print_line({{"type", "defect"},
                    {"name", s.name()},
                    {"id", s.fault->id},
                    {"scenario", info.name},
                    {"expect", words(s.fault->expect)},
                    {"source", s.fault->source},
                    {"fault", s.fault->sentence}});
        return;
    }
    json sizes = json::array();
    for (const named_limits& l : model_sizes) {
        if (s.runs_with(l.name)) {
            sizes.push_back(l.name);
        }
    }
    print_line({{"type", "scenario"},
                {"name", info.name},
                {"property", info.property},
                {"contract", info.contract},
                {"threads", info.threads},
                {"sizes", sizes}});
}

struct planned_run {
    std::string_view search;
    std::string_view size;
    std::uint64_t iterations = 0;
    unsigned bound = 0;
    /// The verdicts of the correct case; a defect's findings stand with the defect.
    std::vector<std::string_view> expect;
    /// Of a run that is made only when it is asked for: its time limit, at which it may stop; 0 for any other.
    double deep_seconds = 0;
};

inline void describe(const subject& s, const planned_run& r) {
    json line = {{"type", "plan"},
                 {"case", s.name()},
                 {"search", r.search},
                 {"size", r.size},
                 {"iterations", r.iterations},
                 {"seed", 0},
                 {"bound", r.bound},
                 {"expect", s.fault != nullptr ? json(words(s.fault->expect)) : json(r.expect)}};
    if (r.deep_seconds > 0) {
        line["label"] = "deep";
        line["seconds"] = r.deep_seconds;
        line["expect"].push_back("timed_out");
    }
    print_line(line);
}

/// `ENGINE --run CASE ...`.
struct request {
    std::string what;
    std::string search;
    std::string size = "1";
    std::uint64_t iterations = 0;
    std::uint64_t seed = 0;
    unsigned bound = 2;
    /// 0 is no limit.
    double seconds = 0;
    std::string trace;
};

/// What is not given is as it is in `r`.
inline request parse(const std::vector<std::string>& arguments, request r) {
    for (std::size_t i = 0; i < arguments.size(); i += 2) {
        const std::string& option = arguments[i];
        if (i + 1 == arguments.size()) {
            usage_error(option + " needs a value.");
        }
        const std::string& value = arguments[i + 1];
        if (option == "--run") {
            r.what = value;
        } else if (option == "--search") {
            r.search = value;
        } else if (option == "--size") {
            r.size = value;
        } else if (option == "--iterations") {
            r.iterations = number<std::uint64_t>(option, value);
        } else if (option == "--seed") {
            r.seed = number<std::uint64_t>(option, value);
        } else if (option == "--bound") {
            r.bound = number<unsigned>(option, value);
        } else if (option == "--time") {
            r.seconds = number<double>(option, value);
        } else if (option == "--trace") {
            r.trace = value;
        } else {
            usage_error("unknown option '" + option + "'.");
        }
    }
    if (r.iterations == 0) {
        usage_error("--iterations must be at least 1.");
    }
    return r;
}

/// Free of allocation: a checker that has replaced the global operator new may call it.
/// How many iterations there may be in all, and the range that it is believed with; nothing where the estimate is 0.
struct expected_total {
    double estimate = 0;
    double at_least = 0;
    double at_most = 0;
};

inline void print_progress(std::uint64_t iterations, double seconds, const expected_total& expected) {
    std::printf("{\"type\":\"progress\",\"iterations\":%llu,\"seconds\":%.2f",
                static_cast<unsigned long long>(iterations), seconds);
    if (expected.estimate > 0) {
        std::printf(",\"estimate\":%.3g,\"at_least\":%.3g,\"at_most\":%.3g", expected.estimate, expected.at_least,
                    expected.at_most);
    }
    std::printf("}\n");
    std::fflush(stdout);
}

inline void print_progress(std::uint64_t iterations, double seconds) {
    print_progress(iterations, seconds, {});
}

struct result {
    std::string verdict;
    std::string finding;
    std::string message;
    std::uint64_t iterations = 0;
    double seconds = 0;
};

inline void print_result(const subject& s, const request& r, const result& found, const reached_labels& labels) {
    json reached = json::object();
    for (const reached_labels::entry& l : labels.all()) {
        reached[std::string(l.label)] = l.executions;
    }
    print_line({{"type", "result"},
                {"case", r.what},
                {"scenario", s.scenario->name},
                {"defect", s.fault == nullptr ? "" : s.fault->id},
                {"search", r.search},
                {"size", r.size},
                {"seed", r.seed},
                {"verdict", found.verdict},
                {"finding", found.finding},
                {"message", found.message},
                {"iterations", found.iterations},
                {"seconds", found.seconds},
                {"reached", reached},
                {"trace", found.verdict == "violated" ? r.trace : ""}});
}

}  // namespace quiesce::models::engine
