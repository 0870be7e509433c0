// The engine `explorer` of the quiesce command (docs/engine_protocol.md), and the command that writes
// proofs/claims.tsv.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "claims.hpp"
#include "proofs/scenarios/claim.hpp"
#include "proofs/scenarios/registry.hpp"
#include "relacy_models/engine_protocol.hpp"

namespace quiesce::models::proofs {

namespace {

constexpr std::uint64_t no_limit = 1'000'000'000;
constexpr const char* exhaustive = "exhaustive";
/// The same of the model in which loads read the newest store, for what only weak memory shows.
constexpr const char* exhaustive_sc = "exhaustive_sc";
/// For each run of what is not claimed.
constexpr double deep_seconds = 60;

/// A case, and its program.
struct subject : engine::subject {
    const entry* runs = nullptr;
};

std::vector<subject> subjects() {
    std::vector<subject> all;
    for (const entry* e : engine::by_name(first_entry())) {
        for (const engine::subject& s : engine::subjects_of(*e->info)) {
            all.push_back({s, e});
        }
    }
    return all;
}

/// An exploration and what it came to; the iterations are executions of every kind.
struct outcome : engine::result {
    explorer::violation violation;
};

std::vector<claim> claims_about(const std::vector<subject>& all) {
    std::vector<claim> claims = read_claims(claims_text);
    const claim* const orphan = first_orphan(claims, [&](const claim& c) {
        return std::any_of(all.begin(), all.end(),
                           [&](const subject& s) { return s.name() == c.name && s.runs_with(c.size); });
    });
    if (orphan != nullptr) {
        engine::usage_error("proofs/claims.tsv claims something of '" + orphan->name + "' at size '" + orphan->size +
                            "', which there is not; proofs/README.md tells how to write the claims anew.");
    }
    return claims;
}

std::string finding_of(std::string kind) {
    std::replace(kind.begin(), kind.end(), ' ', '_');
    return kind;
}

outcome explore(const subject& s, const limits& sizes, const explorer::options& how) {
    settings = {sizes, s.seeded()};
    reached = {};
    const explorer::report r = explorer::explore(s.runs->program, how);
    outcome o;
    o.violation = r.violation;
    o.message = r.violation.message;
    o.iterations = r.executions + r.deadlocks + r.incomplete;
    o.seconds = r.seconds;
    switch (r.verdict) {
        case explorer::verdict::exhausted: o.verdict = "exhausted"; break;
        // A search with an end that was stopped before it, in the words of the protocol.
        case explorer::verdict::bounded:
        case explorer::verdict::timed_out: o.verdict = "timed_out"; break;
        case explorer::verdict::violated:
            o.verdict = "violated";
            o.finding = finding_of(r.violation.kind);
            break;
        default: o.verdict = "engine_error"; break;
    }
    const std::string missing = reached.missing(s.scenario->must_reach);
    if (o.verdict == "exhausted" && !missing.empty()) {
        o.verdict = "unreached";
        o.message = "no execution reached: " + missing;
    }
    return o;
}

void describe() {
    const std::vector<subject> all = subjects();
    const std::vector<claim> claims = claims_about(all);
    engine::print_line({{"type", "engine"},
                        {"protocol", 1},
                        {"name", engine::name},
                        {"version", QUIESCE_VERSION},
                        {"searches", {exhaustive, exhaustive_sc}}});
    for (const subject& s : all) {
        engine::describe(s);
    }
    for (const subject& s : all) {
        for (const named_limits& l : model_sizes) {
            const bool claimed = std::any_of(claims.begin(), claims.end(),
                                             [&](const claim& c) { return c.name == s.name() && c.size == l.name; });
            if (s.runs_with(l.name) && s.runs_on(engine::name)) {
                engine::describe(s, {exhaustive, l.name, no_limit, 0, {"exhausted"}, claimed ? 0 : deep_seconds});
            }
        }
    }
}

/// The variable wins over the options, which leave the default.
bool runs_claimed_model() {
    const char* const told = std::getenv("QUIESCE_EXPLORER_MODEL");
    return told == nullptr || std::string_view(told) == "rc11";
}

void write_trace(const std::string& file, const explorer::violation& v) {
    std::FILE* const to = std::fopen(file.c_str(), "w");
    if (to == nullptr) {
        engine::usage_error("cannot write " + file + ".");
    }
    std::fprintf(to, "%s: %s\n\n%s", v.kind.c_str(), v.message.c_str(), v.trace.c_str());
    std::fclose(to);
}

int run(const engine::request& r) {
    if (r.search != exhaustive && r.search != exhaustive_sc) {
        engine::usage_error("there is no search '" + r.search + "'; there are exhaustive and exhaustive_sc.");
    }
    const std::vector<subject> all = subjects();
    const auto s = std::find_if(all.begin(), all.end(), [&](const subject& c) { return c.name() == r.what; });
    if (s == all.end()) {
        engine::usage_error("there is no case '" + r.what + "'.");
    }
    explorer::options how;
    how.max_executions = r.iterations;
    how.max_seconds = r.seconds;
    how.model = r.search == exhaustive_sc ? explorer::memory_model::sc : explorer::memory_model::rc11;
    how.progress = [](const explorer::progress& p) {
        engine::print_progress(p.executions, p.seconds, {p.estimate, p.at_least, p.at_most});
    };
    outcome o = explore(*s, s->sizes(r.size), how);
    for (const claim& c : claims_about(all)) {
        if (r.search != exhaustive || !runs_claimed_model()) {
            break;
        }
        // What was claimed must be found again, to the execution.
        if (c.name == r.what && c.size == r.size && counts_otherwise(c, o.verdict, o.iterations)) {
            o.message = "The claim is " + std::to_string(c.executions) + " executions, and these were " +
                        std::to_string(o.iterations) + "; proofs/README.md tells how to write the claims anew.";
            o.verdict = "engine_error";
            o.finding.clear();
        }
    }
    if (o.verdict == "violated" && !r.trace.empty()) {
        write_trace(r.trace, o.violation);
    }
    engine::print_result(*s, r, o, reached);
    return 0;
}

// Tries every case at every size for so many seconds, and prints the rows of those that are through: the correct ones
// that are exhausted, and the defects that are caught beside them. The smallest size is the one at which every scenario
// is to be exhausted, so there it waits ten times as long.
int print_claims(double seconds) {
    std::printf("case\tsize\tmodel\tverdict\texecutions\tversion\n");
    for (const named_limits& l : model_sizes) {
        for (const subject& s : subjects()) {
            if (!s.runs_with(l.name)) {
                continue;
            }
            explorer::options how;
            how.max_seconds = l.name == model_sizes.front().name ? 10 * seconds : seconds;
            const engine::result o = explore(s, l.sizes, how);
            const bool claimed = s.fault == nullptr ? o.verdict == "exhausted"
                                                    : o.verdict == "violated" && lists(s.fault->expect, o.finding);
            if (claimed) {
                std::printf("%s\t%s\trc11\t%s\t%llu\t%s\n", s.name().c_str(), std::string(l.name).c_str(),
                            (s.fault == nullptr ? o.verdict : o.finding).c_str(),
                            static_cast<unsigned long long>(o.iterations), QUIESCE_VERSION);
            } else {
                std::fprintf(stderr, "%s, size %s: %s %s after %llu executions\n", s.name().c_str(),
                             std::string(l.name).c_str(), o.verdict.c_str(), o.finding.c_str(),
                             static_cast<unsigned long long>(o.iterations));
            }
            std::fflush(stdout);
        }
    }
    return 0;
}

}  // namespace

}  // namespace quiesce::models::proofs

int main(int argc, char** argv) {
    using namespace quiesce::models::proofs;
    namespace engine = quiesce::models::engine;
    engine::name = "explorer";
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.size() == 1 && arguments[0] == "--describe") {
        describe();
        return 0;
    }
    if (!arguments.empty() && arguments[0] == "--claims" && arguments.size() <= 2) {
        return print_claims(arguments.size() == 2 ? engine::number<double>("--claims", arguments[1]) : 2);
    }
    if (arguments.empty() || arguments[0] != "--run") {
        engine::usage_error("start it with --describe, --run CASE or --claims [SECONDS].");
    }
    engine::request unless_told;
    unless_told.search = exhaustive;
    unless_told.iterations = no_limit;
    return run(engine::parse(arguments, unless_told));
}
