#include "relacy_models/relacy/engine_main.hpp"

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "relacy_models/engine_protocol.hpp"
#include "relacy_models/relacy/instance.hpp"
#include "relacy_models/relacy/plan.hpp"
#include "relacy_models/relacy/simulation.hpp"
#include "relacy_models/relacy/trace.hpp"

namespace quiesce::models::relacy {

namespace {

void describe() {
    engine::print_line({{"type", "engine"},
                        {"protocol", 1},
                        {"name", engine::name},
                        {"version", QUIESCE_VERSION},
                        {"searches", {"random", "bound", "full"}},
                        {"scope", "Relacy's search"}});
    for (const entry* e : engine::by_name(first_entry())) {
        const std::vector<engine::subject> all = engine::subjects_of(*e->info);
        for (const engine::subject& s : all) {
            engine::describe(s);
        }
        for (const engine::subject& s : all) {
            for (const engine::planned_run& r : plan_of(s)) {
                engine::describe(s, r);
            }
        }
    }
}

struct found_case {
    const entry* runs;
    engine::subject subject;
};

found_case case_named(const std::string& name) {
    for (const entry* e : engine::by_name(first_entry())) {
        for (const engine::subject& s : engine::subjects_of(*e->info)) {
            if (s.name() == name) {
                return {e, s};
            }
        }
    }
    engine::usage_error("there is no case '" + name + "'.");
}

int run(const engine::request& r) {
    const std::optional<search> by = search_named(r.search);
    if (!by) {
        engine::usage_error("there is no search '" + r.search + "'; there are random, bound and full.");
    }
    const found_case c = case_named(r.what);
    run_options o;
    o.by = *by;
    o.sizes = c.subject.sizes(r.size);
    o.seeded = c.subject.seeded();
    o.iterations = r.iterations;
    o.seconds = r.seconds;
    o.seed = r.seed;
    o.bound = r.bound;
    o.history_file = r.trace.empty() ? "" : r.trace + ".raw";
    o.progress = &engine::print_progress;
    engine::result found = simulate(*c.runs, o);
    if (!r.trace.empty()) {
        if (found.verdict == "violated") {
            found.message = write_trace(o.history_file, r.trace, r.what, c.subject.scenario->threads);
        }
        std::remove(o.history_file.c_str());
    }
    engine::print_result(c.subject, r, found, current.reached);
    return 0;
}

}  // namespace

int engine_main(const char* name, int argc, char** argv) {
    engine::name = name;
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.size() == 1 && arguments[0] == "--describe") {
        describe();
        return 0;
    }
    if (arguments.empty() || arguments[0] != "--run") {
        engine::usage_error("start it with --describe or --run CASE.");
    }
    engine::request unless_told;
    unless_told.search = name_of(search::random);
    unless_told.iterations = 10'000;
    return run(engine::parse(arguments, unless_told));
}

}  // namespace quiesce::models::relacy
