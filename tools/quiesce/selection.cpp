#include "tools/quiesce/selection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "tools/quiesce/names.hpp"
#include "tools/quiesce/text.hpp"
#include "tools/quiesce/usage_error.hpp"

namespace quiesce::frontend {

namespace {

// For engines whose plan has no bounded search of the case to take the bound from.
constexpr unsigned default_bound = 2;

bool contains(const std::vector<std::string>& words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

std::string scenario_of(const engine& e, const std::string& case_name) {
    const defect_line* d = find_defect(e, case_name);
    return d != nullptr ? d->scenario : case_name;
}

bool wanted(const engine& e, const std::string& case_name, const std::vector<std::string>& names) {
    return names.empty() || contains(names, case_name) || contains(names, scenario_of(e, case_name));
}

std::vector<std::string> cases_of(const engine& e) {
    std::vector<std::string> result;
    result.reserve(e.scenarios.size() + e.defects.size());
    for (const scenario_line& s : e.scenarios) {
        result.push_back(s.name);
    }
    for (const defect_line& d : e.defects) {
        result.push_back(d.name);
    }
    return result;
}

auto deep_runs(const engine& e, const std::vector<std::string>& names) {
    return std::count_if(e.plan.begin(), e.plan.end(),
                         [&](const plan_line& p) { return p.deep && wanted(e, p.case_name, names); });
}

void check_names(const std::vector<engine>& engines, const std::vector<std::string>& names) {
    std::vector<std::string> known;
    for (const engine& e : engines) {
        const std::vector<std::string> cases = cases_of(e);
        known.insert(known.end(), cases.begin(), cases.end());
    }
    for (const std::string& name : names) {
        if (!contains(known, name)) {
            const std::string nearest = nearest_name(name, known);
            throw usage_error(nearest.empty()
                                  ? fmt::format("there is no scenario '{}'.", name)
                                  : fmt::format("there is no scenario '{}'; the nearest name is '{}'.", name, nearest));
        }
    }
}

void check_search(const std::vector<engine>& engines, const std::string& search) {
    std::set<std::string> known;
    for (const engine& e : engines) {
        known.insert(e.about.searches.begin(), e.about.searches.end());
    }
    if (!known.contains(search)) {
        throw usage_error(fmt::format("no engine has the search '{}'; there are: {}.", search,
                                      joined({known.begin(), known.end()}, ", ")));
    }
}

// One line for each case and size: the one with the wanted search if there is one, else the first.
std::vector<plan_line> with_search(const std::vector<plan_line>& plan, const std::string& search) {
    std::vector<plan_line> result;
    for (const plan_line& p : plan) {
        const auto same = std::find_if(result.begin(), result.end(), [&](const plan_line& kept) {
            return kept.case_name == p.case_name && kept.size == p.size;
        });
        if (same == result.end()) {
            result.push_back(p);
        } else if (same->search != search && p.search == search) {
            *same = p;
        }
    }
    for (plan_line& p : result) {
        if (p.search != search) {
            p.search = search;
            if (search == "bound" && p.bound == 0) {
                p.bound = default_bound;
            }
        }
    }
    return result;
}

class file_namer {
public:
    explicit file_namer(std::filesystem::path directory) : directory_(std::move(directory)) {}

    void name(run& r) {
        std::string stem;
        for (const std::string& part : {r.asked.case_name, r.engine, r.asked.search, r.asked.size}) {
            stem += (stem.empty() ? "" : ".") + file_name_part(part);
        }
        // A plan may hold several runs that differ in seed or bound only; each keeps its own trace.
        std::string unique = stem;
        for (int n = 2; !taken_.insert(unique).second; ++n) {
            unique = fmt::format("{}.{}", stem, n);
        }
        r.trace = directory_ / (unique + ".trace.txt");
        r.stderr_tail = directory_ / (unique + ".stderr.txt");
    }

private:
    std::filesystem::path directory_;
    std::set<std::string> taken_;
};

run failed_description(const engine& e) {
    run r;
    r.engine = e.name;
    r.executable = e.executable;
    r.asked.case_name = "(describe)";
    r.asked.search = "-";
    r.asked.size = "-";
    r.scenario = r.asked.case_name;
    r.result.what = verdict::engine_error;
    r.result.message = e.failure;
    return r;
}

void add_runs_of(const engine& e, const options& o, selection& s) {
    const overrides& instead = o.instead_of_plan;
    if (instead.search && !contains(e.about.searches, *instead.search)) {
        s.notes.push_back(fmt::format("engine {} has no search '{}'; its runs are left out.", e.name, *instead.search));
        return;
    }
    for (const std::string& name : cases_of(e)) {
        if (wanted(e, name, o.names) &&
            std::none_of(e.plan.begin(), e.plan.end(), [&](const plan_line& p) { return p.case_name == name; })) {
            s.notes.push_back(fmt::format("engine {} plans no run of '{}'.", e.name, name));
        }
    }
    std::vector<plan_line> plan = e.plan;
    if (!o.deep) {
        if (const auto deep = deep_runs(e, o.names); deep != 0) {
            s.notes.push_back(fmt::format("engine {} plans more runs with --deep: {}.", e.name, deep));
        }
        std::erase_if(plan, [](const plan_line& p) { return p.deep; });
    }
    if (instead.search) {
        plan = with_search(plan, *instead.search);
    }
    for (const plan_line& p : plan) {
        if (!wanted(e, p.case_name, o.names)) {
            continue;
        }
        const defect_line* d = find_defect(e, p.case_name);
        run& r = s.runs.emplace_back();
        r.engine = e.name;
        r.executable = e.executable;
        r.scope = e.about.scope;
        r.asked = p;
        r.asked.iterations = instead.iterations.value_or(p.iterations);
        r.asked.seed = instead.seed.value_or(p.seed);
        r.asked.seconds = instead.seconds.value_or(p.seconds);
        r.asked.expect = accepted_outcomes(p, d != nullptr, instead);
        r.scenario = scenario_of(e, p.case_name);
        r.defect_id = d != nullptr ? d->id : "";
    }
}

// Those that agree in what `of` says stand together, in the order in which they came.
template <class Of>
void group(std::vector<run>& runs, Of of) {
    std::map<std::string, std::size_t> first;
    for (const run& r : runs) {
        first.try_emplace(of(r), first.size());
    }
    // Not std::stable_sort: clang 19 finds libstdc++ 12's deprecated.
    std::vector<std::vector<run>> groups(first.size());
    for (run& r : runs) {
        groups[first.at(of(r))].push_back(std::move(r));
    }
    runs.clear();
    for (std::vector<run>& same : groups) {
        std::move(same.begin(), same.end(), std::back_inserter(runs));
    }
}

// Rows of one case and size stand together, so that what several engines say of it can be compared at a glance.
void group_by_case_and_size(std::vector<run>& runs) {
    group(runs, [](const run& r) { return r.asked.size; });
    group(runs, [](const run& r) { return r.asked.case_name; });
}

}  // namespace

void keep_engines(std::vector<engine>& engines, const std::string& name) {
    if (name.empty()) {
        return;
    }
    std::vector<std::string> known;
    known.reserve(engines.size());
    for (const engine& e : engines) {
        known.push_back(e.name);
    }
    if (!contains(known, name)) {
        throw usage_error(fmt::format("there is no engine '{}'; there are: {}.", name, joined(known, ", ")));
    }
    std::erase_if(engines, [&](const engine& e) { return e.name != name; });
}

selection select_runs(const std::vector<engine>& engines, const options& o) {
    selection s;
    std::vector<engine> usable;
    for (const engine& e : engines) {
        if (e.failure.empty()) {
            usable.push_back(e);
        } else {
            s.runs.push_back(failed_description(e));
        }
    }
    if (!usable.empty()) {
        check_names(usable, o.names);
        if (o.instead_of_plan.search) {
            check_search(usable, *o.instead_of_plan.search);
        }
    }
    for (const engine& e : usable) {
        add_runs_of(e, o, s);
    }
    if (s.runs.empty()) {
        const bool deep = std::any_of(usable.begin(), usable.end(),
                                      [&](const engine& e) { return !o.deep && deep_runs(e, o.names) != 0; });
        throw usage_error(deep ? "what was asked for is run with --deep only, which takes long."
                               : "no engine plans a run of what was asked for.");
    }
    group_by_case_and_size(s.runs);
    file_namer namer(o.out);
    for (run& r : s.runs) {
        namer.name(r);
    }
    return s;
}

}  // namespace quiesce::frontend
