// Condition variables: who is woken, by whom, and what is not ordered by it.
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include <quiesce/explorer.hpp>
#include "proofs/explorer/tests/expect.hpp"

namespace {

using namespace quiesce::explorer;
constexpr auto relaxed = std::memory_order_relaxed;

// A flag under a mutex and a notification: `waits` is how the flag is waited for.
template <class Waits, class Notifies>
std::function<void()> handover(Waits waits, Notifies notifies) {
    return [=] {
        mutex m;
        condition_variable changed;
        bool flag = false;
        thread waiter([&] {
            unique_lock lock(m);
            waits(changed, lock, flag);
            check(flag, "the flag is not set");
        });
        notifies(m, changed, flag);
        waiter.join();
    };
}

void sets_and_notifies(mutex& m, condition_variable& changed, bool& flag) {
    {
        const lock_guard hold(m);
        flag = true;
    }
    changed.notify_one();
}

TEST(ConditionVariable, WakesWhoWaitsForWhatWasDone) {
    const report r = explore(
        handover([](condition_variable& c, auto& lock, const bool& flag) { c.wait(lock, [&flag] { return flag; }); },
                 sets_and_notifies));
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.kind << r.violation.message << r.violation.trace;
    EXPECT_GE(r.executions, 3U);
}

TEST(ConditionVariable, ReturnsForNoReason) {
    const auto once = handover(
        [](condition_variable& c, auto& lock, const bool& flag) {
            if (!flag) {
                c.wait(lock);
            }
        },
        sets_and_notifies);
    EXPECT_EQ(explore(once).violation.kind, "assertion");
    options strict;
    strict.spurious_returns = 0;
    EXPECT_EQ(explore(once, strict).verdict, verdict::exhausted);
}

TEST(ConditionVariable, LosesANotificationThatNobodyWaitsFor) {
    const auto waits = [](condition_variable& c, auto& lock, const bool& flag) {
        c.wait(lock, [&flag] { return flag; });
    };
    EXPECT_EQ(explore(handover(waits,
                               [](mutex& m, condition_variable& changed, bool& flag) {
                                   changed.notify_one();
                                   const lock_guard hold(m);
                                   flag = true;
                               }))
                  .violation.kind,
              "deadlock");
    EXPECT_EQ(explore(handover(waits,
                               [](mutex& m, condition_variable&, bool& flag) {
                                   const lock_guard hold(m);
                                   flag = true;
                               }))
                  .violation.kind,
              "deadlock");
}

void two_wait(bool all) {
    mutex m;
    condition_variable changed;
    bool flag = false;
    const auto waits = [&] {
        unique_lock lock(m);
        changed.wait(lock, [&flag] { return flag; });
    };
    thread first(waits);
    thread second(waits);
    {
        const lock_guard hold(m);
        flag = true;
    }
    if (all) {
        changed.notify_all();
    } else {
        changed.notify_one();
    }
    first.join();
    second.join();
}

TEST(ConditionVariable, WakesOneOrAll) {
    options strict;
    strict.spurious_returns = 0;
    EXPECT_EQ(explore([] { two_wait(false); }, strict).violation.kind, "deadlock");
    EXPECT_EQ(explore([] { two_wait(true); }, strict).verdict, verdict::exhausted);
}

// Both may be the one.
TEST(ConditionVariable, WakesAnyOfThoseThatWait) {
    options strict;
    strict.spurious_returns = 0;
    strict.keep_going = true;
    const report r = explore(
        [] {
            mutex m;
            condition_variable changed;
            int waiting = 0;
            atomic<int> woken{0};
            std::vector<thread> threads;
            for (int i = 1; i != 3; ++i) {
                threads.emplace_back([&, i] {
                    unique_lock lock(m);
                    ++waiting;
                    changed.wait(lock);
                    int nobody = 0;
                    (void)woken.compare_exchange_strong(nobody, i, relaxed);
                });
            }
            {
                const lock_guard hold(m);
                assume(waiting == 2);
            }
            changed.notify_one();
            outcome(woken.await([](int w) { return w != 0; }, relaxed));
            changed.notify_one();
            for (thread& t : threads) {
                t.join();
            }
        },
        strict);
    EXPECT_EQ(r.deadlocks, 0U);
    EXPECT_EQ(r.outcomes.size(), 2U);
}

TEST(ConditionVariable, MayTimeOut) {
    const report r = explore([] {
        mutex m;
        condition_variable never;
        unique_lock lock(m);
        outcome(never.wait_for(lock, 1) == cv_status::timeout);
    });
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.message;
    EXPECT_EQ(r.outcomes.size(), 1U);
    EXPECT_EQ(r.incomplete, 1U);
}

// Notifying orders nothing: neither by itself nor, since it is no atomic operation, with fences.
TEST(ConditionVariable, IsNoSynchronisation) {
    options strict;
    strict.spurious_returns = 0;
    const auto program = [](bool fences) {
        return [fences] {
            mutex m;
            condition_variable changed;
            plain<int> data{0};
            const auto fence = [fences](std::memory_order order) {
                if (fences) {
                    quiesce::explorer::atomic_thread_fence(order);
                }
            };
            thread waiter([&] {
                unique_lock lock(m);
                if (changed.wait_for(lock, 1) == cv_status::no_timeout) {
                    fence(std::memory_order_acquire);
                    (void)data.get();
                }
            });
            data.set(1);
            fence(std::memory_order_release);
            changed.notify_one();
            waiter.join();
        };
    };
    EXPECT_EQ(explore(program(false), strict).violation.kind, "data race");
    EXPECT_EQ(explore(program(true), strict).violation.kind, "data race");
}

}  // namespace
