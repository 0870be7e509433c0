// Objects from outside the runs: of static storage, or of whoever calls explore.
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include <quiesce/explorer.hpp>
#include "proofs/explorer/tests/expect.hpp"

namespace {

namespace ex = quiesce::explorer;
constexpr auto rlx = std::memory_order_relaxed;
constexpr auto acq = std::memory_order_acquire;
constexpr auto rel = std::memory_order_release;

ex::atomic<int> x{5};
ex::atomic<int> y{0};
ex::plain<int> data{1};
ex::mutex m;
ex::condition_variable changed;
ex::once_flag once;
ex::shared_mutex shared;
ex::counting_semaphore<2> places{1};
ex::thread_specific<int> mine;

void store_buffering() {
    int a = 0;
    int b = 0;
    ex::thread t1([&] {
        x.store(1, rlx);
        a = y.load(rlx);
    });
    ex::thread t2([&] {
        y.store(1, rlx);
        b = x.load(rlx);
    });
    t1.join();
    t2.join();
    ex::outcome(a, b, ex::final_value(x));
}

// Also a second time: what a run stores is not there afterwards.
TEST(Globals, HaveTheirFirstValueInEveryExecution) {
    for (const unsigned jobs : {1U, 1U, 2U}) {
        ex::options how;
        how.jobs = jobs;
        const ex::report r = ex::explore(&store_buffering, how);
        ex::expect_exhausted(r, 4);
        EXPECT_TRUE(r.outcomes.contains({0, 5, 1})) << "jobs " << jobs;
        EXPECT_TRUE(r.outcomes.contains({1, 1, 1})) << "jobs " << jobs;
        EXPECT_EQ(x.load(), 5);
    }
}

TEST(Globals, AreExploredInAllModelsAndOrders) {
    ex::options how;
    how.model = ex::memory_model::sc;
    ex::expect_exhausted(ex::explore(&store_buffering, how), 3);
    how.search = ex::search::deepening;
    EXPECT_EQ(ex::explore(&store_buffering, how).verdict, ex::verdict::exhausted);
    how.search = ex::search::random_walk;
    how.max_executions = 100;
    EXPECT_EQ(ex::explore(&store_buffering, how).outcomes.size(), 3U);
}

TEST(Globals, CountAsLocalsDo) {
    const auto program = [](ex::atomic<int>& n) {
        std::vector<ex::thread> threads;
        for (int i = 0; i != 3; ++i) {
            threads.emplace_back([&n] {
                int seen = n.load(rlx);
                while (!n.compare_exchange_weak(seen, seen + 1, acq, rlx)) {
                }
            });
        }
        (void)n.await([](int now) { return now == 8; }, acq);
        for (ex::thread& t : threads) {
            t.join();
        }
    };
    const ex::report global = ex::explore([&] { program(x); });
    const ex::report local = ex::explore([&] {
        ex::atomic<int> n{5};
        program(n);
    });
    ex::expect_exhausted(global, local.executions);
    EXPECT_EQ(global.incomplete, local.incomplete);
    EXPECT_GT(global.executions, 6U);
}

TEST(Globals, WaitForWhatTheyAreAtFirst) {
    ex::expect_exhausted(ex::explore([] {
                             ex::check(x.await([](int n) { return n == 5; }) == 5);
                             int expected = 5;
                             ex::check(x.compare_exchange_strong(expected, 6));
                             ex::check(x.fetch_add(1) == 6);
                             x.notify_all();
                             x.wait(5);
                         }),
                         1);
    const ex::report never = ex::explore([] { x.wait(5); });
    EXPECT_EQ(never.violation.kind, "deadlock");
}

TEST(Globals, OfAllKinds) {
    const ex::report r = ex::explore([] {
        int passed = 0;
        const auto body = [&passed] {
            ex::call_once(once, [] { data.set(2); });
            ex::check(data.get() == 2 && *mine == 0);
            *mine = 1;
            places.acquire();
            places.release();
            { const ex::shared_lock hold(shared); }
            const ex::lock_guard hold(m);
            ++passed;
            changed.notify_one();
        };
        ex::thread t(body);
        {
            ex::unique_lock lock(m);
            changed.wait(lock, [&passed] { return passed == 1; });
        }
        t.join();
    });
    EXPECT_EQ(r.verdict, ex::verdict::exhausted) << r.violation.kind << r.violation.message << r.violation.trace;
    EXPECT_GT(r.executions, 1U);
}

TEST(Globals, RaceAndAreNamedAfterTheirDeclaration) {
    const auto program = [] {
        ex::thread t([] { data.set(1); });
        data.set(2);
        t.join();
    };
    ex::options how;
    const ex::report r = ex::explore(program, how);
    EXPECT_EQ(r.violation.kind, "data race");
    EXPECT_NE(r.violation.trace.find("(globals_test.cpp:24).store(2)"), std::string::npos) << r.violation.trace;
    how.replay = r.violation.graph;
    EXPECT_EQ(ex::explore(program, how).violation.trace, r.violation.trace);
}

// A mutex that a run leaves locked is free in the next, and nobody holds it from then.
TEST(Globals, AreNotHeldFromAnEarlierExecution) {
    ex::expect_exhausted(ex::explore([] {
                             (void)ex::choose(3);
                             m.lock();
                         }),
                         3);
    EXPECT_EQ(ex::explore([] { m.unlock(); }).violation.kind, "misuse");
}

// Constructed when a thread first comes by, in the first execution only.
TEST(Globals, MayBeStaticVariablesOfAFunction) {
    const auto next = [] {
        static ex::atomic<int> counter{7};
        static ex::mutex guard;
        const ex::lock_guard hold(guard);
        return counter.fetch_add(1, rlx);
    };
    for (int i = 0; i != 2; ++i) {
        const ex::report r = ex::explore([&] {
            int a = 0;
            ex::thread t([&] { a = next(); });
            const int b = next();
            t.join();
            ex::outcome(a, b);
        });
        ex::expect_exhausted(r, 2);
        EXPECT_TRUE(r.outcomes.contains({7, 8}));
        EXPECT_TRUE(r.outcomes.contains({8, 7}));
    }
}

TEST(Globals, MayBeTheCallersVariables) {
    ex::atomic<int> flag{0};
    ex::plain<int> message{0};
    ex::expect_exhausted(ex::explore([&] {
                             ex::thread t([&] {
                                 message.set(1);
                                 flag.store(1, rel);
                             });
                             (void)flag.await([](int f) { return f == 1; }, acq);
                             ex::check(message.get() == 1);
                             t.join();
                         }),
                         1);
}

TEST(Globals, AreOrdinaryVariablesOutside) {
    ex::atomic<int> n{1};
    n.fetch_add(2);
    EXPECT_EQ(n.exchange(9), 3);
    int expected = 0;
    EXPECT_FALSE(n.compare_exchange_strong(expected, 1));
    EXPECT_EQ(expected, 9);
    ex::mutex guard;
    {
        const ex::lock_guard hold(guard);
        EXPECT_THROW(guard.lock(), std::logic_error);
    }
    n.notify_all();
    n.wait(0);
    EXPECT_THROW(n.wait(9), std::logic_error);
    EXPECT_EQ(ex::final_value(n), 9);
    ex::expect_exhausted(ex::explore([&] { ex::check(n.load() == 9); }), 1);
}

TEST(Globals, GoOnFromACheckpoint) {
    const auto program = [] {
        std::vector<ex::thread> threads;
        for (int i = 0; i != 4; ++i) {
            threads.emplace_back([i] { x.store(i, rlx); });
        }
        for (ex::thread& t : threads) {
            t.join();
        }
        ex::outcome(ex::final_value(x));
    };
    ex::options how;
    how.checkpoint = testing::TempDir() + "quiesce_globals_" + std::to_string(::getpid());
    how.max_executions = 10;
    const ex::report part = ex::explore(program, how);
    EXPECT_EQ(part.verdict, ex::verdict::bounded);
    EXPECT_EQ(part.stopped_at, "max_executions");
    how.max_executions = 0;
    const ex::report whole = ex::explore(program, how);
    ex::expect_exhausted(whole, 24);
    EXPECT_EQ(whole.outcomes.size(), 4U);
    EXPECT_EQ(whole.stopped_at, "");
}

TEST(Globals, AreConstructedBeforeTheyAreUsed) {
    alignas(ex::atomic<int>) static unsigned char room[sizeof(ex::atomic<int>)];
    ex::expect_exhausted(ex::explore([] {
                             auto* const n = ::new (static_cast<void*>(room)) ex::atomic<int>(3);
                             ex::outcome(n->fetch_add(1), ex::choose(2));
                         }),
                         2);
    const ex::report again = ex::explore([] {
        auto* const n = ::new (static_cast<void*>(room)) ex::atomic<int>(3);
        n->store(1);
        ::new (static_cast<void*>(room)) ex::atomic<int>(3);
    });
    EXPECT_EQ(again.verdict, ex::verdict::engine_error);
    EXPECT_EQ(again.violation.kind, "object from outside");
}

}  // namespace
