// Threads, and the variables that each has one of.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <quiesce/explorer.hpp>
#include "proofs/explorer/tests/expect.hpp"

namespace {

using namespace quiesce::explorer;
constexpr auto relaxed = std::memory_order_relaxed;

TEST(ThreadSpecific, IsEachThreadsOwn) {
    const report r = explore([] {
        struct counted {
            explicit counted(int) {}
            counted() = default;
            std::vector<int> values;
        };
        thread_specific<counted> mine;
        mine->values.push_back(7);
        thread other([&] {
            check(mine->values.empty());
            mine->values.push_back(1);
        });
        other.join();
        check(mine->values.size() == 1);
    });
    expect_exhausted(r, 1);
}

TEST(ThreadSpecific, IsDestroyedWhenItsThreadEnds) {
    const report r = explore([] {
        struct says {
            atomic<int>* to = nullptr;
            ~says() {
                if (to != nullptr) {
                    to->fetch_add(1, relaxed);
                }
            }
        };
        atomic<int> ended{0};
        thread_specific<says> mine;
        thread other([&] { mine->to = &ended; });
        other.join();
        check(ended.load(relaxed) == 1);
    });
    expect_exhausted(r, 1);
}

TEST(Thread, IsJoinedOrDetached) {
    EXPECT_EQ(explore([] { thread forgotten([] {}); }).violation.kind, "unjoined thread");
    EXPECT_EQ(explore([] {
                  thread gone([] {});
                  gone.detach();
              }).verdict,
              verdict::exhausted);
    EXPECT_EQ(explore([] {
                  thread t([] {});
                  t.join();
                  t.join();
              }).violation.kind,
              "misuse");
}

TEST(Thread, MovesAndTakesArguments) {
    expect_exhausted(explore([] {
                         plain<int> sum{0};
                         thread t([](plain<int>* to, int a, int b) { to->set(a + b); }, &sum, 1, 2);
                         thread moved(std::move(t));
                         check(moved.joinable());
                         t = std::move(moved);
                         t.join();
                         check(sum.get() == 3);
                         this_thread::yield();
                     }),
                     1);
}

TEST(Thread, ThatOnlyWaitForEachOtherAreADeadlock) {
    const report r = explore([] {
        // Allocated, and captured by value, since the first thread's scope is left.
        auto* const threads = new thread[2];
        auto* const both = new atomic<bool>(false);
        const auto joins = [threads, both](int other) {
            (void)both->await([](bool b) { return b; });
            threads[other].join();
        };
        threads[0] = thread([joins] { joins(1); });
        threads[1] = thread([joins] { joins(0); });
        both->store(true);
    });
    EXPECT_EQ(r.violation.kind, "deadlock") << r.violation.message;
    EXPECT_NE(r.violation.message.find("joins at threads_test.cpp:"), std::string::npos) << r.violation.message;
}

TEST(JThread, IsAskedToStopAndJoined) {
    expect_exhausted(explore([] {
                         plain<int> seen{0};
                         plain<int> told{0};
                         {
                             const jthread t(
                                 [&](const stop_token& stop, int n) {
                                     stop.await_stop();
                                     seen.set(told.get() + n);
                                 },
                                 2);
                             told.set(1);
                         }
                         check(seen.get() == 3);
                     }),
                     1);
    expect_exhausted(explore([] {
                         int n = 0;
                         {
                             const jthread t([&n] { n = 1; });
                         }
                         check(n == 1);
                     }),
                     1);
}

// What was done before the first request is seen by who sees the request.
TEST(JThread, IsOrderedByTheRequest) {
    const report r = explore([] {
        plain<int> data{0};
        jthread t([&](const stop_token& stop) {
            const bool requested = stop.stop_requested();
            outcome(requested, requested ? data.get() : 0);
        });
        data.set(1);
        check(t.request_stop());
        check(!t.request_stop());
        jthread moved(std::move(t));
        check(moved.joinable() && !t.joinable() && !t.get_stop_token().stop_possible());
        moved.join();
        check(moved.get_stop_source().stop_requested());
    });
    expect_exhausted(r, 3);
    EXPECT_EQ(r.outcomes.size(), 2U);
    EXPECT_TRUE(r.outcomes.contains({1, 1}));
}

}  // namespace
