// Mutexes, shared ones, and what is called once: what they promise, and what programs that rely on more do.
#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include <quiesce/explorer.hpp>
#include "proofs/explorer/tests/expect.hpp"

namespace {

using namespace quiesce::explorer;
constexpr auto relaxed = std::memory_order_relaxed;

// Every order of the threads, and no data race on what the mutex guards.
TEST(Mutex, LetsOneThreadInAfterTheOther) {
    expect_exhausted(explore([] {
                         mutex m;
                         plain<int> n{0};
                         std::vector<thread> threads;
                         for (int i = 0; i != 3; ++i) {
                             threads.emplace_back([&] {
                                 const lock_guard hold(m);
                                 n.set(n.get() + 1);
                             });
                         }
                         for (thread& t : threads) {
                             t.join();
                         }
                         check(n.get() == 3);
                     }),
                     6);
}

TEST(Mutex, TakenInTwoOrdersIsADeadlock) {
    const report r = explore(&two_mutexes_in_two_orders);
    EXPECT_EQ(r.violation.kind, "deadlock");
    EXPECT_NE(r.violation.message.find("waits at expect.hpp:"), std::string::npos) << r.violation.message;
}

TEST(Mutex, TakenTogetherIsNone) {
    const report r = explore([] {
        mutex a;
        mutex b;
        plain<int> n{0};
        const auto increments = [&n](mutex& first, mutex& second) {
            const scoped_lock both(first, second);
            n.set(n.get() + 1);
        };
        thread other([&] { increments(b, a); });
        increments(a, b);
        other.join();
        check(n.get() == 2);
    });
    expect_exhausted(r, 2);
}

TEST(Mutex, TakenTogetherWithOneThatIsNeverFreeIsADeadlock) {
    EXPECT_EQ(explore([] {
                  mutex a;
                  mutex b;
                  b.lock();
                  thread other([&] { const scoped_lock both(a, b); });
                  other.join();
              }).violation.kind,
              "deadlock");
}

TEST(Mutex, MayFailToBeTakenForNoReason) {
    const auto program = [] {
        mutex m;
        const bool taken = m.try_lock();
        outcome(taken);
        if (taken) {
            m.unlock();
        }
    };
    expect_exhausted(explore(program), 2);
    options strict;
    strict.spurious_returns = 0;
    expect_exhausted(explore(program, strict), 1);
}

TEST(Mutex, IsUnlockedByItsHolder) {
    EXPECT_EQ(explore([] {
                  mutex m;
                  m.unlock();
              }).violation.kind,
              "misuse");
    EXPECT_EQ(explore([] {
                  mutex m;
                  m.lock();
                  thread other([&m] { m.unlock(); });
                  other.join();
              }).violation.kind,
              "misuse");
}

TEST(Mutex, WorksWithTheLocksOfTheStandardLibrary) {
    expect_exhausted(explore([] {
                         mutex m;
                         plain<int> n{0};
                         thread other([&] {
                             const std::lock_guard hold(m);
                             n.set(1);
                         });
                         {
                             std::unique_lock hold(m);
                             n.set(2);
                         }
                         other.join();
                     }),
                     2);
}

// Readers in any order, each either before or after the writer: their order among each other is explored too.
TEST(SharedMutex, KeepsReadersAndWritersApart) {
    const report r = explore([] {
        shared_mutex m;
        plain<int> n{0};
        const auto reads = [&] {
            const shared_lock hold(m);
            (void)n.get();
        };
        thread first(reads);
        thread second(reads);
        {
            const lock_guard hold(m);
            n.set(1);
        }
        first.join();
        second.join();
    });
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.message;
    EXPECT_GE(r.executions, 6U);
    EXPECT_EQ(explore([] {
                  shared_mutex m;
                  plain<int> n{0};
                  thread reader([&] {
                      const shared_lock hold(m);
                      n.set(1);
                  });
                  {
                      const shared_lock hold(m);
                      (void)n.get();
                  }
                  reader.join();
              }).violation.kind,
              "data race");
}

// What is counted: the operations of the readers are one order, whatever a writer sees of it.
TEST(SharedMutex, CountsTheOrdersOfItsReaders) {
    const auto program = [](int readers, bool writer) {
        return [readers, writer] {
            shared_mutex m;
            std::vector<thread> threads;
            for (int i = 0; i != readers; ++i) {
                threads.emplace_back([&m] { const shared_lock hold(m); });
            }
            if (writer) {
                const lock_guard hold(m);
            }
            for (thread& t : threads) {
                t.join();
            }
        };
    };
    expect_exhausted(explore(program(2, false)), 6);
    expect_exhausted(explore(program(3, false)), 90);
    expect_exhausted(explore(program(2, true)), 14);
}

// [thread.sharedmutex.requirements]: unlock_shared synchronizes with a later lock, not with a later lock_shared. The
// flag says which of the readers comes first, and orders nothing either.
void hands_over(bool first_writes, bool second_writes) {
    shared_mutex m;
    plain<int> n{0};
    atomic<bool> first_is_done{false};
    const auto use = [&m](bool writes, auto body) {
        if (writes) {
            const lock_guard hold(m);
            body();
        } else {
            const shared_lock hold(m);
            body();
        }
    };
    thread first([&] {
        use(first_writes, [&n] { n.set(1); });
        first_is_done.store(true, relaxed);
    });
    (void)first_is_done.await([](bool done) { return done; }, relaxed);
    use(second_writes, [&n] { (void)n.get(); });
    first.join();
}

TEST(SharedMutex, DoesNotOrderReaders) {
    EXPECT_EQ(explore([] { hands_over(false, false); }).violation.kind, "data race");
    expect_exhausted(explore([] { hands_over(false, true); }), 1);
    expect_exhausted(explore([] { hands_over(true, false); }), 1);
    expect_exhausted(explore([] { hands_over(true, true); }), 1);
}

// Nor does a fence: what a mutex does is no atomic operation that it could acquire from.
TEST(SharedMutex, DoesNotOrderReadersThroughAFence) {
    EXPECT_EQ(explore([] {
                  shared_mutex m;
                  plain<int> n{0};
                  atomic<bool> first_is_done{false};
                  thread first([&] {
                      n.set(1);
                      m.lock_shared();
                      m.unlock_shared();
                      first_is_done.store(true, relaxed);
                  });
                  (void)first_is_done.await([](bool done) { return done; }, relaxed);
                  m.lock_shared();
                  m.unlock_shared();
                  quiesce::explorer::atomic_thread_fence(std::memory_order_acquire);
                  (void)n.get();
                  first.join();
              }).violation.kind,
              "data race");
}

// Whichever of the two times that it was locked is seen.
TEST(Mutex, OrdersNothingWhereItIsNotTaken) {
    options all;
    all.spurious_returns = 0;
    all.keep_going = true;
    const report r = explore(
        [] {
            mutex m;
            plain<int> n{0};
            atomic<int> step{0};
            const auto await_step = [&step](int wanted) {
                (void)step.await([wanted](int now) { return now == wanted; }, relaxed);
            };
            thread other([&] {
                m.lock();
                n.set(1);
                m.unlock();
                m.lock();
                step.store(1, relaxed);
                await_step(2);
                m.unlock();
            });
            await_step(1);
            assume(!m.try_lock());
            quiesce::explorer::atomic_thread_fence(std::memory_order_acquire);
            (void)n.get();
            step.store(2, relaxed);
            other.join();
        },
        all);
    EXPECT_GE(r.executions, 2U);
    EXPECT_EQ(r.racy, r.executions);
}

// A writer between two readers orders them, whoever else reads in between.
TEST(SharedMutex, OrdersReadersByTheWriterBetweenThem) {
    expect_exhausted(explore([] {
                         shared_mutex m;
                         plain<int> n{0};
                         atomic<int> step{0};
                         const auto await_step = [&step](int wanted) {
                             (void)step.await([wanted](int now) { return now == wanted; }, relaxed);
                         };
                         thread first([&] {
                             m.lock_shared();
                             n.set(1);
                             m.unlock_shared();
                             step.store(1, relaxed);
                         });
                         thread writer([&] {
                             await_step(1);
                             m.lock();
                             m.unlock();
                             step.store(2, relaxed);
                         });
                         thread another([&] {
                             await_step(2);
                             m.lock_shared();
                             m.unlock_shared();
                             step.store(3, relaxed);
                         });
                         await_step(3);
                         m.lock_shared();
                         (void)n.get();
                         m.unlock_shared();
                         first.join();
                         writer.join();
                         another.join();
                     }),
                     1);
}

TEST(SharedMutex, IsUnlockedTheWayItWasLocked) {
    EXPECT_EQ(explore([] {
                  shared_mutex m;
                  m.lock_shared();
                  m.unlock();
              }).violation.kind,
              "misuse");
    EXPECT_EQ(explore([] {
                  shared_mutex m;
                  m.lock();
                  m.unlock_shared();
              }).violation.kind,
              "misuse");
}

TEST(CallOnce, CallsOnceAndEverybodySeesIt) {
    const report r = explore([] {
        once_flag once;
        plain<int> made{0};
        const auto uses = [&] {
            call_once(once, [&] { made.set(made.get() + 1); });
            check(made.get() == 1);
        };
        thread first(uses);
        thread second(uses);
        first.join();
        second.join();
    });
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.message << r.violation.trace;
    EXPECT_GE(r.executions, 2U);
}

TEST(CallOnce, IsTriedAgainAfterAnException) {
    const report r = explore([] {
        once_flag once;
        int calls = 0;
        try {
            call_once(once, [&] {
                ++calls;
                throw 1;
            });
        } catch (int) {
            ++calls;
        }
        call_once(once, [&] { ++calls; });
        call_once(once, [&] { ++calls; });
        // Two, and the exception.
        check(calls == 3);
    });
    expect_exhausted(r, 1);
}

TEST(RecursiveMutex, IsTakenAgainByWhoHasItAndFreeWhenAllIsGivenBack) {
    expect_exhausted(explore([] {
                         recursive_mutex m;
                         plain<int> n{0};
                         const auto adds = [&] {
                             const lock_guard outer(m);
                             const lock_guard inner(m);
                             check(m.try_lock());
                             n.set(n.get() + 1);
                             m.unlock();
                         };
                         thread other(adds);
                         adds();
                         other.join();
                         check(n.get() == 2);
                     }),
                     2);
    EXPECT_EQ(explore([] {
                  recursive_mutex m;
                  m.lock();
                  m.lock();
                  m.unlock();
                  thread other([&m] { m.lock(); });
                  other.join();
              }).violation.kind,
              "deadlock");
    EXPECT_EQ(explore([] {
                  recursive_mutex m;
                  m.lock();
                  thread other([&m] { m.unlock(); });
                  other.join();
              }).violation.kind,
              "misuse");
}

// Taken, or given up: where it is held, and once for no reason. Waiting for ever is no deadlock then.
TEST(TimedMutex, MayBeGivenUp) {
    options strict;
    strict.spurious_returns = 0;
    const auto program = [] {
        timed_mutex m;
        plain<int> n{0};
        int taken = 0;
        thread other([&] {
            unique_lock lock(m, defer_lock);
            if (lock.try_lock_for(std::chrono::seconds(1))) {
                n.set(1);
                taken = 1;
            }
        });
        {
            const lock_guard hold(m);
            n.set(2);
        }
        other.join();
        outcome(taken);
    };
    const report r = explore(program, strict);
    expect_exhausted(r, 3);
    EXPECT_EQ(r.outcomes.at({1}), 2U);
    EXPECT_EQ(explore(program).outcomes.at({0}), 2U);
    expect_exhausted(explore(
                         [] {
                             recursive_timed_mutex m;
                             check(m.try_lock_for(1));
                             check(m.try_lock_until(1));
                             thread other([&m] { check(!m.try_lock_for(1)); });
                             other.join();
                         },
                         strict),
                     1);
    expect_exhausted(explore(
                         [] {
                             shared_timed_mutex m;
                             check(m.try_lock_shared_for(1));
                             thread other([&m] {
                                 check(m.try_lock_shared_until(1));
                                 check(!m.try_lock_for(1));
                             });
                             other.join();
                         },
                         strict),
                     1);
}

}  // namespace
