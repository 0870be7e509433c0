#include "relacy_models/relacy/engine_main.hpp"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "relacy_models/relacy/instance.hpp"
#include "relacy_models/relacy/plan.hpp"
#include "relacy_models/relacy/simulation.hpp"
#include "relacy_models/relacy/trace.hpp"

namespace quiesce::models::relacy {

namespace {

using nlohmann::json;

const char* this_engine = "";

void print_line(const json& j) {
    const std::string text = j.dump();
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fputc('\n', stdout);
    std::fflush(stdout);
}

[[noreturn]] void usage_error(const std::string& sentence) {
    std::fprintf(stderr, "quiesce-engine-%s: %s\n", this_engine, sentence.c_str());
    std::exit(2);
}

std::string case_name(const scenario_info& s, const defect_info* d) {
    std::string name(s.name);
    if (d != nullptr) {
        name += "__";
        name += d->fault;
    }
    return name;
}

void describe_plan(const scenario_info& s, const defect_info* d) {
    for (const planned_run& r : plan_of(s, d)) {
        const json expect = d != nullptr ? json(words(d->expect)) : json{r.expect};
        print_line({{"type", "plan"},
                    {"case", case_name(s, d)},
                    {"search", name_of(r.by)},
                    {"size", r.size},
                    {"iterations", r.iterations},
                    {"seed", 0},
                    {"bound", r.bound},
                    {"expect", expect}});
    }
}

void describe() {
    print_line({{"type", "engine"},
                {"protocol", 1},
                {"name", this_engine},
                {"version", QUIESCE_VERSION},
                {"searches", {"random", "bound", "full"}},
                {"scope", "Relacy's search"}});
    for (const entry* e : entries_by_name()) {
        const scenario_info& s = *e->info;
        json sizes = json::array();
        for (const named_limits& l : model_sizes) {
            if (runs_with(s, l.name)) {
                sizes.push_back(l.name);
            }
        }
        print_line({{"type", "scenario"},
                    {"name", s.name},
                    {"property", s.property},
                    {"contract", s.contract},
                    {"threads", s.threads},
                    {"sizes", sizes}});
        for (const defect_info& d : s.defects) {
            print_line({{"type", "defect"},
                        {"name", case_name(s, &d)},
                        {"id", d.id},
                        {"scenario", s.name},
                        {"expect", words(d.expect)},
                        {"source", d.source},
                        {"fault", d.sentence}});
        }
        describe_plan(s, nullptr);
        for (const defect_info& d : s.defects) {
            describe_plan(s, &d);
        }
    }
}

struct request {
    std::string what;
    std::string trace;
    std::string size = "1";
    run_options options;
};

template <class Number>
Number number(const std::string& option, const std::string& text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        usage_error(option + " takes a number, not '" + text + "'.");
    }
    return value;
}

request parse_run(const std::vector<std::string>& arguments) {
    request r;
    for (std::size_t i = 0; i < arguments.size(); i += 2) {
        const std::string& option = arguments[i];
        if (i + 1 == arguments.size()) {
            usage_error(option + " needs a value.");
        }
        const std::string& value = arguments[i + 1];
        if (option == "--run") {
            r.what = value;
        } else if (option == "--search") {
            const std::optional<search> by = search_named(value);
            if (!by) {
                usage_error("there is no search '" + value + "'; there are random, bound and full.");
            }
            r.options.by = *by;
        } else if (option == "--size") {
            r.size = value;
        } else if (option == "--iterations") {
            r.options.iterations = number<std::uint64_t>(option, value);
        } else if (option == "--seed") {
            r.options.seed = number<std::uint64_t>(option, value);
        } else if (option == "--bound") {
            r.options.bound = number<unsigned>(option, value);
        } else if (option == "--time") {
            r.options.seconds = number<double>(option, value);
        } else if (option == "--trace") {
            r.trace = value;
        } else {
            usage_error("unknown option '" + option + "'.");
        }
    }
    if (r.options.iterations == 0) {
        usage_error("--iterations must be at least 1.");
    }
    return r;
}

int run(request r) {
    const entry* scenario = nullptr;
    const defect_info* defect = nullptr;
    for (const entry* e : entries_by_name()) {
        if (e->info->name == r.what) {
            scenario = e;
        }
        for (const defect_info& d : e->info->defects) {
            if (case_name(*e->info, &d) == r.what) {
                scenario = e;
                defect = &d;
            }
        }
    }
    if (scenario == nullptr) {
        usage_error("there is no case '" + r.what + "'.");
    }
    const auto sizes =
        std::find_if(model_sizes.begin(), model_sizes.end(), [&](const named_limits& l) { return l.name == r.size; });
    if (sizes == model_sizes.end() || !runs_with(*scenario->info, r.size)) {
        usage_error("'" + r.what + "' does not run with a size '" + r.size + "'.");
    }
    r.options.sizes = sizes->sizes;
    r.options.seeded = defect != nullptr ? defect->seeded : quiesce::defect::none;
    r.options.history_file = r.trace.empty() ? "" : r.trace + ".raw";
    r.options.progress = [](std::uint64_t iterations, double seconds) {
        std::printf("{\"type\":\"progress\",\"iterations\":%llu,\"seconds\":%.2f}\n",
                    static_cast<unsigned long long>(iterations), seconds);
        std::fflush(stdout);
    };
    outcome o = simulate(*scenario, r.options);
    if (!r.trace.empty()) {
        if (o.verdict == "violated") {
            o.message = write_trace(r.options.history_file, r.trace, r.what, scenario->info->threads);
        }
        std::remove(r.options.history_file.c_str());
    }
    json reached = json::object();
    for (const reached_label& l : current.reached) {
        if (!l.label.empty()) {
            reached[std::string(l.label)] = l.executions;
        }
    }
    print_line({{"type", "result"},
                {"case", r.what},
                {"scenario", scenario->info->name},
                {"defect", defect != nullptr ? defect->id : ""},
                {"search", name_of(r.options.by)},
                {"size", r.size},
                {"seed", r.options.seed},
                {"verdict", o.verdict},
                {"finding", o.finding},
                {"message", o.message},
                {"iterations", o.iterations},
                {"seconds", o.seconds},
                {"reached", reached},
                {"trace", o.verdict == "violated" ? r.trace : ""}});
    return 0;
}

}  // namespace

int engine_main(const char* name, int argc, char** argv) {
    this_engine = name;
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.size() == 1 && arguments[0] == "--describe") {
        describe();
        return 0;
    }
    if (arguments.empty() || arguments[0] != "--run") {
        usage_error("start it with --describe or --run CASE.");
    }
    return run(parse_run(arguments));
}

}  // namespace quiesce::models::relacy
