// Searches that are not exhaustive, and how large the exhaustive one will be.
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>

#include "proofs/explorer/notation/program.hpp"
#include "proofs/explorer/src/engine.hpp"
#include "proofs/explorer/tests/expect.hpp"
#include "proofs/explorer/tests/families.hpp"
#include "proofs/explorer/tests/random_programs.hpp"

namespace {

namespace ex = quiesce::explorer;
namespace litmus = quiesce::explorer::litmus;
constexpr auto relaxed = std::memory_order_relaxed;

ex::options with(ex::search s, unsigned bound = 0) {
    ex::options how;
    how.search = s;
    how.bound = bound;
    return how;
}

std::set<std::vector<std::int64_t>> outcomes_of(const ex::report& r) {
    std::set<std::vector<std::int64_t>> all;
    for (const auto& [outcome, n] : r.outcomes) {
        all.insert(outcome);
    }
    return all;
}

// Every order gives every execution, and none that the exhaustive search does not have.
TEST(Orders, WithoutABoundGiveTheSameOutcomes) {
    std::mt19937_64 random(3);
    unsigned compared = 0;
    for (int i = 0; i != 50; ++i) {
        const std::string text =
            i % 2 == 0 ? ex::tests::random_program(random) : ex::tests::random_blocking_program(random);
        const litmus::program p = litmus::parse(text);
        const ex::report all = litmus::explore(p, {});
        ex::options how = with(ex::search::deepening);
        how.max_seconds = 0.3;
        const ex::report orders = litmus::explore(p, how);
        if (orders.verdict == ex::verdict::timed_out) {
            continue;
        }
        ++compared;
        EXPECT_EQ(outcomes_of(all), outcomes_of(orders)) << text;
        EXPECT_EQ(all.deadlocks != 0, orders.deadlocks != 0) << text;
        EXPECT_EQ(all.racy != 0, orders.racy != 0) << text;
        EXPECT_GE(orders.executions, all.executions) << text;
    }
    EXPECT_GT(compared, 20U);
}

TEST(Orders, OfRandomSearchesAreExecutions) {
    std::mt19937_64 random(5);
    for (const ex::search s : {ex::search::random_walk, ex::search::pct}) {
        for (int i = 0; i != 40; ++i) {
            const std::string text =
                i % 2 == 0 ? ex::tests::random_program(random) : ex::tests::random_blocking_program(random);
            const litmus::program p = litmus::parse(text);
            const std::set<std::vector<std::int64_t>> all = outcomes_of(litmus::explore(p, {}));
            ex::options how = with(s, s == ex::search::pct ? 3 : 0);
            how.max_executions = 300;
            for (const std::vector<std::int64_t>& outcome : outcomes_of(litmus::explore(p, how))) {
                EXPECT_TRUE(all.contains(outcome)) << text;
            }
        }
    }
}

// Each waits for what the other did, twice: to the other thread and back, twice.
void needs_changes() {
    ex::atomic<int> x{0};
    ex::atomic<int> y{0};
    ex::thread t([&] {
        for (int i = 1; i != 3; ++i) {
            if (x.load(relaxed) == i) {
                y.store(i, relaxed);
            }
        }
    });
    x.store(1, relaxed);
    if (y.load(relaxed) == 1) {
        x.store(2, relaxed);
        ex::check(y.load(relaxed) != 2, "both times");
    }
    t.join();
}

unsigned changes_in(const std::string& trace) {
    unsigned changes = 0;
    std::size_t before = 0;
    for (std::size_t at = 0; at < trace.size(); at = trace.find('\n', at) + 1) {
        const std::size_t column = trace.find_last_of('|', trace.find('\n', at)) - at;
        changes += before != 0 && column != before ? 1 : 0;
        before = column;
    }
    return changes;
}

TEST(Deepening, FindsTheViolationWithTheFewestChanges) {
    const ex::report r = ex::explore(needs_changes, with(ex::search::deepening));
    ASSERT_EQ(r.violation.kind, "assertion");
    EXPECT_EQ(changes_in(r.violation.trace), 4U) << r.violation.trace;
    EXPECT_EQ(ex::explore(needs_changes, with(ex::search::deepening, 3)).verdict, ex::verdict::bounded);
    EXPECT_EQ(ex::explore(needs_changes, with(ex::search::deepening, 4)).verdict, ex::verdict::violated);
}

TEST(Deepening, IsExhaustedWhenNothingIsLeftOut) {
    const ex::report r = ex::explore([] { ex::families::nwriters(2); }, with(ex::search::deepening));
    EXPECT_EQ(r.verdict, ex::verdict::exhausted);
    EXPECT_GE(r.executions, 6U);
}

TEST(PreemptionBound, CountsOnlyWhereAThreadCouldGoOn) {
    // Away from the main thread twice, and from the other once: at its end it cannot go on.
    EXPECT_EQ(ex::explore(needs_changes, with(ex::search::preemption_bound, 2)).verdict, ex::verdict::bounded);
    EXPECT_EQ(ex::explore(needs_changes, with(ex::search::preemption_bound, 3)).verdict, ex::verdict::violated);
    const ex::report one = ex::explore([] { ex::families::ticket(3); }, with(ex::search::preemption_bound, 0));
    EXPECT_EQ(one.verdict, ex::verdict::bounded);
    EXPECT_GT(one.executions, 0U);
}

TEST(RandomWalk, DependsOnTheSeedOnly) {
    ex::options how = with(ex::search::random_walk);
    how.keep_going = true;
    how.max_executions = 200;
    const auto program = [] {
        ex::atomic<int> x{0};
        ex::families::joined_threads threads;
        for (int i = 1; i != 4; ++i) {
            threads.start([&x, i] { x.store(i, relaxed); });
        }
        ex::outcome(x.load(relaxed));
    };
    const ex::report first = ex::explore(program, how);
    EXPECT_EQ(first.verdict, ex::verdict::bounded);
    EXPECT_EQ(first.executions, 200U);
    EXPECT_EQ(first.outcomes.size(), 4U);
    EXPECT_EQ(ex::explore(program, how).outcomes, first.outcomes);
    how.seed = 2;
    EXPECT_NE(ex::explore(program, how).outcomes, first.outcomes);
}

TEST(RandomSearches, FindWhatIsEasyToFindAndReplayIt) {
    for (const ex::search s : {ex::search::random_walk, ex::search::pct}) {
        const ex::report r = ex::explore(needs_changes, with(s, 5));
        ASSERT_EQ(r.violation.kind, "assertion");
        ex::options how;
        how.replay = r.violation.graph;
        EXPECT_EQ(ex::explore(needs_changes, how).violation.trace, r.violation.trace);
    }
}

TEST(RandomSearches, EndByThemselves) {
    const ex::report r = ex::explore([] { ex::families::nwriters(2); }, with(ex::search::random_walk));
    EXPECT_EQ(r.executions, 10'000U);
    EXPECT_EQ(r.verdict, ex::verdict::bounded);
}

TEST(RandomSearches, FindDeadlocksInAwaits) {
    for (const ex::search s : {ex::search::random_walk, ex::search::pct, ex::search::deepening}) {
        const ex::report r = ex::explore(&ex::two_mutexes_in_two_orders, with(s, 3));
        EXPECT_EQ(r.violation.kind, "deadlock");
        EXPECT_NE(r.violation.message.find("waits at expect.hpp:"), std::string::npos) << r.violation.message;
    }
}

TEST(Yield, IsAHintAndNoStep) {
    const auto program = [] {
        ex::atomic<int> x{0};
        ex::thread t([&x] { x.store(1, relaxed); });
        ex::this_thread::yield();
        (void)x.load(relaxed);
        t.join();
    };
    EXPECT_EQ(ex::explore(program).executions, 2U);
    for (const ex::search s : {ex::search::random_walk, ex::search::pct}) {
        EXPECT_EQ(ex::explore(program, with(s, 2)).executions, 10'000U);
    }
}

TEST(Options, ThatDoNotGoTogetherAreRefused) {
    ex::options how = with(ex::search::random_walk);
    how.jobs = 2;
    EXPECT_EQ(ex::explore([] {}, how).violation.message, "only the exhaustive search has jobs and a checkpoint");
    EXPECT_EQ(ex::explore([] {}, with(ex::search::pct)).verdict, ex::verdict::engine_error);
}

// The mean of the descents is the size of the tree: within four standard errors.
TEST(Estimate, IsRightOnAverage) {
    for (const auto program :
         {+[] { ex::families::ainc(5); }, +[] { ex::families::nwriters(5); }, +[] { ex::families::lastzero(8); },
          +[] { ex::families::ticket(4); }, +[] { ex::families::sbring(6); },
          +[] {
              ex::atomic<int> x{0};
              ex::families::joined_threads threads;
              for (int i = 0; i != 2; ++i) {
                  threads.start([&x, i] {
                      int expected = static_cast<int>(ex::choose(2));
                      (void)x.compare_exchange_weak(expected, i + 1);
                      (void)x.await([](int v) { return v < 2; });
                  });
              }
          }}) {
        ex::options how;
        how.keep_going = true;
        const std::function<void()> body = program;
        const ex::report all = ex::explore(body, how);
        const auto size = static_cast<double>(all.executions + all.deadlocks + all.incomplete);
        ex::detail::thread_names names;
        ex::detail::engine descents(body, how, names);
        std::mt19937_64 random(1);
        constexpr int count = 5'000;
        double sum = 0;
        double squares = 0;
        for (int i = 0; i != count; ++i) {
            const double found = descents.probe(random);
            sum += found;
            squares += found * found;
        }
        const double mean = sum / count;
        const double error = std::sqrt((squares / count - mean * mean) / count);
        EXPECT_LE(std::abs(mean - size), 4 * error + 1e-6 * size) << mean << " " << size;
        EXPECT_GT(mean, size / 2);
    }
}

TEST(Estimate, IsToldWithItsRange) {
    ex::progress last;
    unsigned reports = 0;
    ex::options how;
    how.max_seconds = 1.2;
    how.progress = [&](const ex::progress& p) {
        EXPECT_GE(p.executions, last.executions);
        last = p;
        ++reports;
    };
    EXPECT_EQ(ex::explore([] { ex::families::nwriters(12); }, how).verdict, ex::verdict::timed_out);
    EXPECT_GE(reports, 1U);
    EXPECT_NEAR(last.estimate, 6'227'020'800.0, 1e3);  // 13!
    EXPECT_LE(last.at_least, last.estimate);
    EXPECT_GE(last.at_most, last.estimate);
}

}  // namespace
