#include "relacy_models/relacy/simulation.hpp"

#include <chrono>

#include "relacy_models/relacy/platform.hpp"

namespace quiesce::models::relacy {

constinit instance current{};

const entry*& first_entry() {
    static const entry* first = nullptr;
    return first;
}

namespace {

using clock = std::chrono::steady_clock;

// The run under way. Relacy builds the test suite itself, so what it needs is found here.
struct run_state {
    const entry* scenario = nullptr;
    const run_options* options = nullptr;
    clock::time_point began;
    clock::time_point told;
    std::uint64_t iterations = 0;
    // Once set it stays: Relacy repeats a run that ends early, to collect its history, and must end it again.
    bool out_of_budget = false;
    bool out_of_time = false;
};
run_state state;

constexpr std::size_t largest_scenario = std::size_t{16} * 1024;
alignas(64) std::byte storage[largest_scenario];

double seconds_since(clock::time_point t) {
    return std::chrono::duration<double>(clock::now() - t).count();
}

bool budget_spent() {
    if (state.out_of_budget || state.out_of_time) {
        return true;
    }
    const run_options& o = *state.options;
    state.out_of_budget = state.iterations == o.iterations;
    const clock::time_point now = clock::now();
    const double elapsed = std::chrono::duration<double>(now - state.began).count();
    state.out_of_time = o.seconds > 0 && elapsed >= o.seconds;
    if (o.progress != nullptr && now - state.told > std::chrono::milliseconds(500)) {
        state.told = now;
        o.progress(state.iterations, elapsed);
    }
    return state.out_of_budget || state.out_of_time;
}

template <unsigned Threads>
struct model : rl::test_suite<model<Threads>, static_cast<rl::thread_id_t>(Threads)> {
    void before() {
        if (budget_spent()) {
            rl::ctx().rl_until("the budget is spent", rl::debug_info("", "", 0));
        }
        ++state.iterations;
        current.begin_iteration();
        state.scenario->construct(storage);
        current.threads_run = true;
    }
    void thread(unsigned i) {
        state.scenario->thread(storage, i);
        if (!state.scenario->info->exits_last) {
            current.slots.exit_thread(i);
        }
    }
    void after() {
        current.threads_run = false;
        for (unsigned i = 0; i != Threads && state.scenario->info->exits_last; ++i) {
            current.slots.exit_thread(i);
        }
        state.scenario->finish(storage);
        state.scenario->destroy(storage);
    }
};

void simulate_threads(unsigned threads, rl::test_params& params) {
    switch (threads) {
        case 2: rl::simulate<model<2>>(params); break;
        case 3: rl::simulate<model<3>>(params); break;
        default: rl::simulate<model<4>>(params); break;
    }
}

std::string finding_of(rl::test_result_e result) {
    switch (result) {
        case rl::test_result_data_race: return "data_race";
        case rl::test_result_access_to_freed_memory: return "use_after_free";
        case rl::test_result_double_free: return "double_free";
        case rl::test_result_memory_leak:
        case rl::test_result_resource_leak: return "leak";
        case rl::test_result_unitialized_access: return "uninitialised_read";
        case rl::test_result_deadlock: return "deadlock";
        case rl::test_result_livelock: return "livelock";
        case rl::test_result_user_assert_failed:
        case rl::test_result_user_invariant_failed: return "assertion";
        default: return "misuse_of_primitive";
    }
}

}  // namespace

engine::result simulate(const entry& scenario, const run_options& options) {
    engine::result result;
    if (scenario.bytes > largest_scenario || scenario.alignment > 64 || scenario.info->threads < 2 ||
        scenario.info->threads > max_threads) {
        return {"engine_error", "", "the scenario does not fit the engine: 2 to 4 threads, 16 KiB of state", 0, 0};
    }
    current.sizes = options.sizes;
    current.seeded = options.seeded;
    current.reached = {};
    state = {&scenario, &options, clock::now(), clock::now(), 0, false, false};

    std::ofstream nowhere;
    std::ofstream history(options.history_file.empty() ? "/dev/null" : options.history_file);
    rl::test_params params;
    params.output_stream = &history;
    params.progress_stream = &nowhere;
    params.execution_depth_limit = 20'000;
    params.context_bound = options.bound;
    // Our own budget ends every search, so that all three count alike.
    params.iteration_count = ~rl::iteration_t{0};
    switch (options.by) {
        case search::random:
            params.search_type = rl::random_scheduler_type;
            params.initial_state = std::to_string(options.seed + 1).c_str();
            break;
        case search::bound: params.search_type = rl::fair_context_bound_scheduler_type; break;
        case search::full: params.search_type = rl::fair_full_search_scheduler_type; break;
    }
    simulate_threads(scenario.info->threads, params);

    result.seconds = seconds_since(state.began);
    result.iterations = state.iterations;
    const rl::test_result_e verdict = params.test_result;
    if (verdict == rl::test_result_success) {
        result.verdict = options.by == search::full ? "exhausted" : "bounded";
        result.message = options.by == search::full
                             ? "every schedule that Relacy's search knows"
                             : "every schedule with at most " + std::to_string(options.bound) + " preemptions";
    } else if (verdict == rl::test_result_until_condition_hit) {
        // Random search is meant to end at its number of iterations; the others only when they have gone through all.
        const bool meant = options.by == search::random && !state.out_of_time;
        result.verdict = meant ? "bounded" : "timed_out";
        result.message = state.out_of_time ? "stopped at the time limit" : "stopped at the number of iterations";
    } else {
        result.verdict = "violated";
        result.finding = finding_of(verdict);
        // The repetition that collected the history counted one more.
        --result.iterations;
        return result;
    }
    const std::string missing = current.reached.missing(scenario.info->must_reach);
    if (!missing.empty()) {
        result.message = "no execution reached: " + missing;
        result.verdict = "unreached";
    }
    return result;
}

}  // namespace quiesce::models::relacy
