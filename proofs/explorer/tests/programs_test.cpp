// Programs in C++: the families whose counts are known, and what the face promises.
#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <string>

#include "proofs/explorer/tests/families.hpp"

namespace {

using namespace quiesce::explorer;

using family_case = families::family;

class Family : public testing::TestWithParam<family_case> {};

TEST_P(Family, HasTheKnownNumberOfExecutions) {
    const family_case& f = GetParam();
    const report r = explore([&f] { f.program(f.n); });
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.kind << ": " << r.violation.message;
    EXPECT_EQ(r.executions, f.executions);
    EXPECT_EQ(r.deadlocks, 0U);
    EXPECT_EQ(r.incomplete, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, Family,
    testing::Values(
        family_case{"nwriters", families::nwriters, 3, 24}, family_case{"nwriters", families::nwriters, 5, 720},
        family_case{"nwriters", families::nwriters, 7, 40'320}, family_case{"readers", families::readers, 8, 256},
        family_case{"readers", families::readers, 12, 4'096}, family_case{"readers", families::readers, 16, 65'536},
        family_case{"lastzero", families::lastzero, 3, 12}, family_case{"lastzero", families::lastzero, 5, 64},
        family_case{"lastzero", families::lastzero, 8, 704}, family_case{"lastzero", families::lastzero, 10, 3'328},
        family_case{"lastzero", families::lastzero, 12, 15'360}, family_case{"ainc", families::ainc, 5, 120},
        family_case{"ainc", families::ainc, 7, 5'040}, family_case{"sbring", families::sbring, 8, 256},
        family_case{"sbring", families::sbring, 12, 4'096}, family_case{"ticket", families::ticket, 3, 6},
        family_case{"ticket", families::ticket, 4, 24}, family_case{"ticket", families::ticket, 5, 120},
        family_case{"ticket", families::ticket, 6, 720}),
    [](const testing::TestParamInfo<family_case>& c) { return std::string(c.param.name) + std::to_string(c.param.n); });

// The second update finds that the first has read what it would read: it is in no execution, and races with nothing.
TEST(Races, AnUpdateThatCannotBeCompletedDoesNotRace) {
    const report r = explore([] {
        atomic<int> x{0};
        thread first([&x] {
            if (x.exchange(1) == 0) {
                (void)x.non_atomic_load();
            }
        });
        thread second([&x] {
            int expected = 0;
            (void)x.compare_exchange_strong(expected, 5);
        });
        first.join();
        second.join();
    });
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.message;
    EXPECT_EQ(r.executions, 2U);
}

TEST(Races, AreViolationsWithTheirTrace) {
    const report r = explore([] {
        plain<int> x{0};
        name(x, "shared");
        thread writer([&x] { x.set(1); });
        (void)x.get();
        writer.join();
    });
    EXPECT_EQ(r.verdict, verdict::violated);
    EXPECT_EQ(r.violation.kind, "data race");
    EXPECT_NE(r.violation.message.find("programs_test.cpp:"), std::string::npos) << r.violation.message;
    EXPECT_NE(r.violation.trace.find("shared.store(1)  programs_test.cpp:"), std::string::npos) << r.violation.trace;
}

TEST(Violations, AreNamed) {
    EXPECT_EQ(explore([] { check(false, "never"); }).violation.kind, "assertion");
    EXPECT_EQ(explore([] { throw std::runtime_error("lost"); }).violation.message, "lost");
    EXPECT_EQ(explore([] {
                  const atomic<int> never{0};
                  never.await([](int n) { return n == 1; });
              }).violation.kind,
              "deadlock");
    EXPECT_EQ(explore([] { (void)choose(0); }).verdict, verdict::engine_error);
    EXPECT_EQ(explore([] {
                  const atomic<int> flag{0};
                  while (flag.load() == 0) {
                  }
              }).violation.kind,
              "unbounded loop");
}

TEST(Program, ThatDoesNotDoTheSameAgainIsNondeterministic) {
    int runs = 0;
    const report r = explore([&runs] {
        atomic<int> x{0};
        atomic<int> y{0};
        thread writer([&] { x.store(1, std::memory_order_relaxed); });
        atomic<int>& which = ++runs > 1 ? y : x;
        (void)which.load(std::memory_order_relaxed);
        writer.join();
    });
    EXPECT_EQ(r.verdict, verdict::nondeterministic);
    EXPECT_NE(r.violation.message.find("thread 0 does a load at programs_test.cpp:"), std::string::npos)
        << r.violation.message;
}

TEST(Program, ThatDoesLessThanBeforeIsNondeterministic) {
    int runs = 0;
    const report r = explore([&runs] {
        atomic<int> x{0};
        atomic<int> y{0};
        thread first([&] {
            if (runs++ == 0) {
                x.store(7, std::memory_order_relaxed);
            }
        });
        first.join();
        thread second([&] { y.store(1, std::memory_order_relaxed); });
        (void)y.load(std::memory_order_relaxed);
        second.join();
    });
    EXPECT_EQ(r.verdict, verdict::nondeterministic);
}

TEST(Program, KeepsTheExceptionsOfItsThreadsApart) {
    const report r = explore([] {
        atomic<int> x{0};
        const auto rethrow = [&x](int mine) {
            try {
                try {
                    throw mine;
                } catch (int) {
                    x.fetch_add(1);
                    throw;
                }
            } catch (int caught) {
                check(caught == mine, "a thread caught another one's exception");
            }
        };
        thread first([&] { rethrow(1); });
        thread second([&] { rethrow(2); });
        first.join();
        second.join();
    });
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.message;
    EXPECT_EQ(r.executions, 2U);
}

TEST(Program, MayHaveMoreThreadsInOneExecutionThanInAnother) {
    const report r = explore([] {
        std::vector<atomic<int>> cells(120);
        const bool more = choose(2) == 1;
        families::joined_threads threads;
        threads.start([&] {
            cells[0].store(1, std::memory_order_relaxed);
            (void)cells[1].load(std::memory_order_relaxed);
        });
        threads.start([&] {
            cells[1].store(1, std::memory_order_relaxed);
            (void)cells[0].load(std::memory_order_relaxed);
        });
        for (unsigned i = 0; more && i != 9; ++i) {
            threads.start([&cells, i] { cells[110 + i].store(1, std::memory_order_relaxed); });
        }
    });
    EXPECT_EQ(r.verdict, verdict::exhausted);
    EXPECT_EQ(r.executions, 8U);
}

TEST(Program, MayBeLongUnderInterleavings) {
    options how;
    how.model = memory_model::sc;
    const report r = explore(
        [] {
            atomic<int> x{0};
            thread writer([&x] {
                for (int i = 0; i != 1'000; ++i) {
                    x.store(i, std::memory_order_relaxed);
                }
            });
            writer.join();
        },
        how);
    EXPECT_EQ(r.executions, 1U);
}

TEST(Atomic, HasTheMembersOfTheStandards) {
    const report r = explore([] {
        atomic<int> n{std::numeric_limits<int>::max()};
        check(++n == std::numeric_limits<int>::min() && n-- == std::numeric_limits<int>::min());
        check((n -= 7) == std::numeric_limits<int>::max() - 7 && n == std::numeric_limits<int>::max() - 7);
        atomic<signed char> small{127};
        check(small.fetch_add(1) == 127 && small == -128);
        check((small &= 0x0f) == 0 && (small |= 5) == 5 && (small ^= 1) == 4);
        atomic<double> real{1.5};
        check(real.fetch_sub(1.0) == 1.5 && real.load() == 0.5);
        int array[4] = {};
        atomic<int*> pointer{array};
        check(pointer++ == array && ++pointer == array + 2 && pointer.fetch_sub(2) == array + 2 && pointer == array);
        atomic<bool> flag;
        check(!flag && (flag = true) && flag.exchange(false));
        struct pair {
            int a;
            int b;
        };
        atomic<pair> both{pair{1, 2}};
        pair seen{1, 2};
        check(both.compare_exchange_strong(seen, pair{3, 4}) && both.load().b == 4);
        atomic_flag lock;
        check(!lock.test_and_set() && lock.test());
        lock.clear();
        check(!lock.test());
    });
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.message;
    EXPECT_EQ(r.executions, 1U);
}

// Each does what the member does that it is named after.
TEST(Atomic, HasTheFreeFunctionsOfTheStandards) {
    constexpr auto relaxed = std::memory_order_relaxed;
    const report r = explore([] {
        atomic<int> x{1};
        int seen = 1;
        check(atomic_compare_exchange_strong(&x, &seen, 2));
        check(!atomic_compare_exchange_strong_explicit(&x, &seen, 3, relaxed, relaxed) && seen == 2);
        atomic_store(&x, 6);
        check(atomic_fetch_add(&x, 2) == 6 && atomic_fetch_sub_explicit(&x, 1, relaxed) == 8);
        check(atomic_fetch_and(&x, 6) == 7 && atomic_fetch_or_explicit(&x, 8, relaxed) == 6);
        check(atomic_fetch_xor(&x, 1) == 14 && atomic_exchange_explicit(&x, 0, relaxed) == 15);
        check(atomic_load(&x) == 0 && atomic_is_lock_free(&x));
        atomic<int> y{0};
        thread t([&] {
            atomic_store_explicit(&y, 1, relaxed);
            quiesce::explorer::atomic_signal_fence(std::memory_order_release);
            atomic_store_explicit(&x, 1, relaxed);
            atomic_notify_one(&x);
        });
        atomic_wait_explicit(&x, 0, std::memory_order_acquire);
        outcome(atomic_load_explicit(&y, relaxed));
        t.join();
        atomic_flag f;
        check(!atomic_flag_test_and_set(&f) && atomic_flag_test(&f));
        atomic_flag_clear(&f);
        check(!atomic_flag_test_explicit(&f, relaxed));
    });
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.message;
    // A signal fence orders nothing between threads.
    EXPECT_EQ(r.outcomes.size(), 2U);
}

TEST(KeepGoing, CountsRacesAndIsNoProofOfTheirAbsence) {
    options how;
    how.keep_going = true;
    const report r = explore(
        [] {
            plain<int> x{0};
            thread writer([&x] { x.set(1); });
            (void)x.get();
            writer.join();
        },
        how);
    EXPECT_EQ(r.racy, 2U);
    EXPECT_EQ(r.verdict, verdict::violated);
}

}  // namespace
