// The engine `explorer` of the quiesce command (docs/engine_protocol.md), and the command that writes
// proofs/claims.tsv.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "claims.hpp"
#include "proofs/scenarios/registry.hpp"

namespace quiesce::models::proofs {

namespace {

using nlohmann::json;

constexpr std::uint64_t no_limit = 1'000'000'000;

/// Labels of the scenario under exploration. Free of allocation: it is called inside the program.
struct label {
    std::string_view text;
    std::uint64_t executions = 0;
};
std::array<label, 8> labels;

void print_line(const json& j) {
    const std::string text = j.dump() + "\n";
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

[[noreturn]] void usage_error(const std::string& sentence) {
    std::fprintf(stderr, "quiesce-engine-explorer: %s\n", sentence.c_str());
    std::exit(2);
}

std::vector<std::string> split(std::string_view text, char at) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(at), text.size());
        parts.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

bool lists(std::string_view words, std::string_view word) {
    const std::vector<std::string> all = split(words, ' ');
    return std::find(all.begin(), all.end(), word) != all.end();
}

/// A row of proofs/claims.tsv.
struct claim {
    std::string name;
    std::string size;
    std::string verdict;
    std::uint64_t executions = 0;
};

std::vector<claim> read_claims() {
    std::vector<claim> claims;
    const std::vector<std::string> lines = split(claims_text, '\n');
    for (std::size_t i = 1; i < lines.size(); ++i) {
        const std::vector<std::string> columns = split(lines[i], '\t');
        claims.push_back({columns[0], columns[1], columns[3], std::stoull(columns[4])});
    }
    return claims;
}

/// A scenario, with a defect or without.
struct subject {
    const entry* scenario = nullptr;
    const defect_info* fault = nullptr;

    std::string name() const {
        return std::string(scenario->info->name) + (fault == nullptr ? "" : "__" + std::string(fault->fault));
    }
    bool runs_with(std::string_view size) const {
        return (scenario->info->sizes.empty() || lists(scenario->info->sizes, size)) &&
               (fault == nullptr || lists(fault->sizes, size));
    }
};

std::vector<subject> subjects() {
    std::vector<subject> all;
    for (const entry* e = first_entry(); e != nullptr; e = e->next) {
        all.push_back({e, nullptr});
        for (const defect_info& d : e->info->defects) {
            all.push_back({e, &d});
        }
    }
    std::stable_sort(all.begin(), all.end(), [](const subject& a, const subject& b) {
        return a.scenario->info->name < b.scenario->info->name;
    });
    return all;
}

struct outcome {
    std::string verdict;
    std::string finding;
    explorer::report report;
    /// Of every kind.
    std::uint64_t executions = 0;
};

std::string finding_of(std::string kind) {
    std::replace(kind.begin(), kind.end(), ' ', '_');
    return kind;
}

outcome explore(const subject& s, const limits& sizes, const explorer::options& how) {
    settings = {sizes, s.fault == nullptr ? defect::none : s.fault->seeded};
    labels = {};
    outcome o;
    o.report = explorer::explore(s.scenario->program, how);
    o.executions = o.report.executions + o.report.deadlocks + o.report.incomplete;
    switch (o.report.verdict) {
        case explorer::verdict::exhausted: o.verdict = "exhausted"; break;
        case explorer::verdict::bounded: o.verdict = "bounded"; break;
        case explorer::verdict::timed_out: o.verdict = "timed_out"; break;
        case explorer::verdict::violated:
            o.verdict = "violated";
            o.finding = finding_of(o.report.violation.kind);
            break;
        default: o.verdict = "engine_error"; break;
    }
    if (o.verdict == "exhausted") {
        for (const std::string_view wanted : s.scenario->info->must_reach) {
            if (std::none_of(labels.begin(), labels.end(), [&](const label& l) { return l.text == wanted; })) {
                o.verdict = "unreached";
            }
        }
    }
    return o;
}

void describe() {
    print_line({{"type", "engine"},
                {"protocol", 1},
                {"name", "explorer"},
                {"version", QUIESCE_VERSION},
                {"searches", {"exhaustive"}}});
    for (const subject& s : subjects()) {
        const scenario_info& info = *s.scenario->info;
        if (s.fault == nullptr) {
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
        } else {
            print_line({{"type", "defect"},
                        {"name", s.name()},
                        {"id", s.fault->id},
                        {"scenario", info.name},
                        {"expect", split(s.fault->expect, ' ')},
                        {"source", s.fault->source},
                        {"fault", s.fault->sentence}});
        }
    }
    const std::vector<claim> claims = read_claims();
    for (const subject& s : subjects()) {
        for (const claim& c : claims) {
            if (c.name == s.name()) {
                print_line({{"type", "plan"},
                            {"case", c.name},
                            {"search", "exhaustive"},
                            {"size", c.size},
                            {"iterations", no_limit},
                            {"seed", 0},
                            {"bound", 0},
                            {"expect", s.fault == nullptr ? json{"exhausted"} : json(split(s.fault->expect, ' '))}});
            }
        }
    }
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

const limits& sizes_named(const subject& s, const std::string& size) {
    for (const named_limits& l : model_sizes) {
        if (l.name == size && s.runs_with(size)) {
            return l.sizes;
        }
    }
    usage_error("'" + s.name() + "' does not run with a size '" + size + "'.");
}

void write_trace(const std::string& file, const explorer::violation& v) {
    std::FILE* const to = std::fopen(file.c_str(), "w");
    if (to == nullptr) {
        usage_error("cannot write " + file + ".");
    }
    std::fprintf(to, "%s: %s\n\n%s", v.kind.c_str(), v.message.c_str(), v.trace.c_str());
    std::fclose(to);
}

int run(const std::vector<std::string>& arguments) {
    std::string name;
    std::string size = "1";
    std::string trace;
    std::string search = "exhaustive";
    std::uint64_t seed = 0;
    explorer::options how;
    for (std::size_t i = 0; i < arguments.size(); i += 2) {
        const std::string& option = arguments[i];
        if (i + 1 == arguments.size()) {
            usage_error(option + " needs a value.");
        }
        const std::string& value = arguments[i + 1];
        if (option == "--run") {
            name = value;
        } else if (option == "--search") {
            search = value;
        } else if (option == "--size") {
            size = value;
        } else if (option == "--iterations") {
            how.max_executions = number<std::uint64_t>(option, value);
        } else if (option == "--time") {
            how.max_seconds = number<double>(option, value);
        } else if (option == "--trace") {
            trace = value;
        } else if (option == "--seed") {
            seed = number<std::uint64_t>(option, value);
        } else if (option != "--bound") {
            usage_error("unknown option '" + option + "'.");
        }
    }
    if (search != "exhaustive") {
        usage_error("there is no search '" + search + "'; there is exhaustive.");
    }
    const std::vector<subject> all = subjects();
    const auto s = std::find_if(all.begin(), all.end(), [&](const subject& c) { return c.name() == name; });
    if (s == all.end()) {
        usage_error("there is no case '" + name + "'.");
    }
    how.progress = [](std::uint64_t executions, double seconds) {
        print_line({{"type", "progress"}, {"iterations", executions}, {"seconds", seconds}});
    };
    outcome o = explore(*s, sizes_named(*s, size), how);
    std::string message = o.report.violation.message;
    for (const claim& c : read_claims()) {
        // What was claimed must be found again, to the execution.
        const bool finished = o.verdict == "exhausted" || o.verdict == "violated";
        if (c.name == name && c.size == size && finished && c.executions != o.executions) {
            message = "The claim is " + std::to_string(c.executions) + " executions, and these were " +
                      std::to_string(o.executions) + "; proofs/README.md tells how to write the claims anew.";
            o.verdict = "engine_error";
            o.finding.clear();
        }
    }
    if (o.verdict == "violated" && !trace.empty()) {
        write_trace(trace, o.report.violation);
    }
    json reached = json::object();
    for (const label& l : labels) {
        if (!l.text.empty()) {
            reached[std::string(l.text)] = l.executions;
        }
    }
    print_line({{"type", "result"},
                {"case", name},
                {"scenario", s->scenario->info->name},
                {"defect", s->fault == nullptr ? "" : s->fault->id},
                {"search", search},
                {"size", size},
                {"seed", seed},
                {"verdict", o.verdict},
                {"finding", o.finding},
                {"message", message},
                {"iterations", o.executions},
                {"seconds", o.report.seconds},
                {"reached", reached},
                {"trace", o.verdict == "violated" ? trace : ""}});
    return 0;
}

// Tries every case at every size for so many seconds, and prints the rows of those that are through: the correct ones
// that are exhausted, and the defects that are caught beside them.
int print_claims(double seconds) {
    std::printf("case\tsize\tmodel\tverdict\texecutions\tversion\n");
    for (const named_limits& l : model_sizes) {
        for (const subject& s : subjects()) {
            if (!s.runs_with(l.name)) {
                continue;
            }
            explorer::options how;
            how.max_seconds = seconds;
            const outcome o = explore(s, l.sizes, how);
            const bool claimed = s.fault == nullptr ? o.verdict == "exhausted"
                                                    : o.verdict == "violated" && lists(s.fault->expect, o.finding);
            if (claimed) {
                std::printf("%s\t%s\trc11\t%s\t%llu\t%s\n", s.name().c_str(), std::string(l.name).c_str(),
                            (s.fault == nullptr ? o.verdict : o.finding).c_str(),
                            static_cast<unsigned long long>(o.executions), QUIESCE_VERSION);
            } else {
                std::fprintf(stderr, "%s, size %s: %s %s after %llu executions\n", s.name().c_str(),
                             std::string(l.name).c_str(), o.verdict.c_str(), o.finding.c_str(),
                             static_cast<unsigned long long>(o.executions));
            }
            std::fflush(stdout);
        }
    }
    return 0;
}

}  // namespace

void reach(std::string_view text) {
    for (label& l : labels) {
        if (l.text == text || l.text.empty()) {
            l.text = text;
            ++l.executions;
            return;
        }
    }
}

}  // namespace quiesce::models::proofs

int main(int argc, char** argv) {
    using namespace quiesce::models::proofs;
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.size() == 1 && arguments[0] == "--describe") {
        describe();
        return 0;
    }
    if (!arguments.empty() && arguments[0] == "--claims" && arguments.size() <= 2) {
        return print_claims(arguments.size() == 2 ? number<double>("--claims", arguments[1]) : 2);
    }
    if (arguments.empty() || arguments[0] != "--run") {
        usage_error("start it with --describe, --run CASE or --claims [SECONDS].");
    }
    return run(arguments);
}
