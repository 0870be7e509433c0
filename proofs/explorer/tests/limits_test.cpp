// Searches that stop before the end, and what is heard of them meanwhile.
#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "proofs/explorer/tests/families.hpp"

namespace {

using namespace quiesce::explorer;

TEST(Limits, OfExecutionsAreKept) {
    const report r = explore([] { families::nwriters(4); }, {.max_executions = 7});
    EXPECT_EQ(r.verdict, verdict::bounded);
    EXPECT_EQ(r.executions, 7U);
    EXPECT_EQ(r.stopped_at, "max_executions");
    EXPECT_EQ(explore([] { families::nwriters(2); }, {.max_executions = 7}).stopped_at, "");
}

void races() {
    plain<int> x{0};
    thread writer([&x] { x.set(1); });
    (void)x.get();
    writer.join();
}

// Nor does a violation hide them.
TEST(Limits, DoNotHideAViolation) {
    const report r = explore(&races, {.keep_going = true, .max_executions = 1});
    EXPECT_EQ(r.verdict, verdict::violated);
    EXPECT_EQ(r.executions, 1U);
    EXPECT_EQ(r.stopped_at, "max_executions");
    EXPECT_EQ(explore(&races, {.keep_going = true}).stopped_at, "");
}

TEST(Limits, OfOperationsAreToldBesideAViolation) {
    const auto program = [] {
        check(choose(2) == 0);
        atomic<int> x{0};
        while (x.load() == 0) {
        }
    };
    for (const unsigned jobs : {1U, 2U}) {
        const report r = explore(program, {.keep_going = true, .max_operations = 100, .jobs = jobs});
        EXPECT_EQ(r.verdict, verdict::violated);
        EXPECT_EQ(r.stopped_at, "max_operations");
        EXPECT_EQ(r.violations.at("unbounded loop"), 1U);
    }
}

TEST(Limits, OfASearchAreTold) {
    const auto program = [] {
        for (int i = 0; i != 3; ++i) {
            thread t([] {});
            t.join();
        }
    };
    EXPECT_EQ(explore(program, {.search = search::preemption_bound, .bound = 1}).stopped_at, "");
    EXPECT_EQ(explore([] { families::ainc(3); }, {.search = search::preemption_bound, .bound = 1}).stopped_at, "bound");
}

// It would take minutes.
TEST(Limits, OfTimeAreKeptAndTheProgressIsTold) {
    std::uint64_t told = 0;
    options how;
    how.max_seconds = 0.8;
    how.progress = [&told](const progress& p) {
        EXPECT_GE(p.seconds, 0.5);
        told = p.executions;
    };
    const report r = explore([] { families::nwriters(11); }, how);
    EXPECT_EQ(r.verdict, verdict::timed_out);
    EXPECT_EQ(r.stopped_at, "max_seconds");
    EXPECT_GE(r.seconds, 0.8);
    EXPECT_LT(r.seconds, 20);
    EXPECT_GT(told, 0U);
    EXPECT_LT(told, r.executions);
}

TEST(Limits, OfOperationsAreKept) {
    const auto explore_stores = [](unsigned n) {
        return explore(
            [n] {
                atomic<unsigned> x{0};
                for (unsigned i = 0; i != n; ++i) {
                    x.store(i);
                }
            },
            {.max_operations = 100});
    };
    EXPECT_EQ(explore_stores(90).verdict, verdict::exhausted);
    EXPECT_EQ(explore_stores(110).verdict, verdict::bounded);
    EXPECT_EQ(explore_stores(110).violation.kind, "unbounded loop");
}

// Each of its own program, while others allocate.
TEST(Limits, ThreadsOfTheProcessExploreSideBySide) {
    std::vector<report> reports(3);
    {
        std::vector<std::jthread> explorers;
        for (report& r : reports) {
            explorers.emplace_back([&r] { r = explore([] { families::ainc(7); }); });
        }
        for (int i = 0; i != 10'000; ++i) {
            EXPECT_NE(std::make_unique<int>(i), nullptr);
        }
    }
    for (const report& r : reports) {
        EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.message;
        EXPECT_EQ(r.executions, 5'040U);
    }
}

}  // namespace
