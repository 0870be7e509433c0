#include "relacy_models/relacy/plan.hpp"

namespace quiesce::models::relacy {

namespace {

constexpr std::uint64_t random_iterations = 50'000;
// Enough for every schedule with the scenario's number of preemptions.
constexpr std::uint64_t bound_iterations = 10'000'000;
constexpr std::uint64_t full_iterations = 10'000'000;
/// For each run that is made only when it is asked for.
constexpr double deep_seconds = 120;

}  // namespace

std::vector<engine::planned_run> plan_of(const engine::subject& s) {
    const scenario_info& scenario = *s.scenario;
    std::vector<engine::planned_run> plan;
    if (!s.runs_on("relacy")) {
        return plan;
    }
    for (const named_limits& l : model_sizes) {
        if (!s.runs_with(l.name)) {
            continue;
        }
        // With the defect and without it, the same search at the same size and bound: only then does it count that the
        // one without it found nothing.
        const bool deep = scenario.large_is_deep && l.name != model_sizes.front().name;
        const double seconds = deep ? deep_seconds : 0;
        if (scenario.small) {
            plan.push_back({name_of(search::full), l.name, full_iterations, 0, {"exhausted"}, seconds});
        } else if (scenario.preemptions == 0) {
            plan.push_back({name_of(search::random), l.name, random_iterations, 0, {"bounded"}});
            continue;
        } else {
            plan.push_back(
                {name_of(search::bound), l.name, bound_iterations, scenario.preemptions, {"bounded"}, seconds});
        }
        if (s.fault == nullptr) {
            plan.push_back({name_of(search::random), l.name, random_iterations, 0, {"bounded"}});
        }
    }
    return plan;
}

std::string_view name_of(search s) {
    switch (s) {
        case search::random: return "random";
        case search::bound: return "bound";
        case search::full: return "full";
    }
    return "";
}

std::optional<search> search_named(std::string_view name) {
    for (const search s : {search::random, search::bound, search::full}) {
        if (name_of(s) == name) {
            return s;
        }
    }
    return std::nullopt;
}

}  // namespace quiesce::models::relacy
