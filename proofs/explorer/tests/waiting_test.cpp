// Mutexes, condition variables and their kin: what they promise, and what programs that rely on more do.
#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <vector>

#include <quiesce/explorer.hpp>

namespace {

using namespace quiesce::explorer;
constexpr auto relaxed = std::memory_order_relaxed;

report of(const std::function<void()>& program, const options& how = {}) {
    return explore(program, how);
}

void expect_exhausted(const report& r, std::uint64_t executions) {
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.kind << ": " << r.violation.message << "\n"
                                             << r.violation.trace;
    EXPECT_EQ(r.executions, executions);
}

// Every order of the threads, and no data race on what the mutex guards.
TEST(Mutex, LetsOneThreadInAfterTheOther) {
    expect_exhausted(of([] {
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
    const report r = of([] {
        mutex a;
        mutex b;
        const auto both = [](mutex& first, mutex& second) {
            const lock_guard outer(first);
            const lock_guard inner(second);
        };
        thread other([&] { both(b, a); });
        both(a, b);
        other.join();
    });
    EXPECT_EQ(r.violation.kind, "deadlock");
    EXPECT_NE(r.violation.message.find("waits at waiting_test.cpp:"), std::string::npos) << r.violation.message;
}

TEST(Mutex, TakenTogetherIsNone) {
    const report r = of([] {
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
    EXPECT_EQ(of([] {
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
    expect_exhausted(of(program), 2);
    options strict;
    strict.spurious_returns = 0;
    expect_exhausted(of(program, strict), 1);
}

TEST(Mutex, IsUnlockedByItsHolder) {
    EXPECT_EQ(of([] {
                  mutex m;
                  m.unlock();
              }).violation.kind,
              "misuse");
    EXPECT_EQ(of([] {
                  mutex m;
                  m.lock();
                  thread other([&m] { m.unlock(); });
                  other.join();
              }).violation.kind,
              "misuse");
}

TEST(Mutex, WorksWithTheLocksOfTheStandardLibrary) {
    expect_exhausted(of([] {
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
    const report r = of([] {
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
    EXPECT_EQ(of([] {
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
    expect_exhausted(of(program(2, false)), 6);
    expect_exhausted(of(program(3, false)), 90);
    expect_exhausted(of(program(2, true)), 14);
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
    EXPECT_EQ(of([] { hands_over(false, false); }).violation.kind, "data race");
    expect_exhausted(of([] { hands_over(false, true); }), 1);
    expect_exhausted(of([] { hands_over(true, false); }), 1);
    expect_exhausted(of([] { hands_over(true, true); }), 1);
}

// Nor does a fence: what a mutex does is no atomic operation that it could acquire from.
TEST(SharedMutex, DoesNotOrderReadersThroughAFence) {
    EXPECT_EQ(of([] {
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
    const report r = of(
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

TEST(Semaphore, OrdersNothingForWhoReleasesIt) {
    EXPECT_EQ(of([] {
                  counting_semaphore<2> s(0);
                  plain<int> n{0};
                  atomic<bool> first_is_done{false};
                  thread first([&] {
                      n.set(1);
                      s.release();
                      first_is_done.store(true, relaxed);
                  });
                  (void)first_is_done.await([](bool done) { return done; }, relaxed);
                  s.release();
                  quiesce::explorer::atomic_thread_fence(std::memory_order_acquire);
                  (void)n.get();
                  first.join();
              }).violation.kind,
              "data race");
}

// A writer between two readers orders them, whoever else reads in between.
TEST(SharedMutex, OrdersReadersByTheWriterBetweenThem) {
    expect_exhausted(of([] {
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
    EXPECT_EQ(of([] {
                  shared_mutex m;
                  m.lock_shared();
                  m.unlock();
              }).violation.kind,
              "misuse");
    EXPECT_EQ(of([] {
                  shared_mutex m;
                  m.lock();
                  m.unlock_shared();
              }).violation.kind,
              "misuse");
}

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
    const report r =
        of(handover([](condition_variable& c, auto& lock, const bool& flag) { c.wait(lock, [&flag] { return flag; }); },
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
    EXPECT_EQ(of(once).violation.kind, "assertion");
    options strict;
    strict.spurious_returns = 0;
    EXPECT_EQ(of(once, strict).verdict, verdict::exhausted);
}

TEST(ConditionVariable, LosesANotificationThatNobodyWaitsFor) {
    const auto waits = [](condition_variable& c, auto& lock, const bool& flag) {
        c.wait(lock, [&flag] { return flag; });
    };
    EXPECT_EQ(of(handover(waits,
                          [](mutex& m, condition_variable& changed, bool& flag) {
                              changed.notify_one();
                              const lock_guard hold(m);
                              flag = true;
                          }))
                  .violation.kind,
              "deadlock");
    EXPECT_EQ(of(handover(waits,
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
    EXPECT_EQ(of([] { two_wait(false); }, strict).violation.kind, "deadlock");
    EXPECT_EQ(of([] { two_wait(true); }, strict).verdict, verdict::exhausted);
}

// Both may be the one.
TEST(ConditionVariable, WakesAnyOfThoseThatWait) {
    options strict;
    strict.spurious_returns = 0;
    strict.keep_going = true;
    const report r = of(
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
    const report r = of([] {
        mutex m;
        condition_variable never;
        unique_lock lock(m);
        outcome(never.wait_for(lock, 1) == cv_status::timeout);
    });
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.message;
    EXPECT_EQ(r.outcomes.size(), 1U);
    EXPECT_EQ(r.incomplete, 1U);
}

// Notifying orders nothing by itself.
TEST(ConditionVariable, IsNoSynchronisation) {
    options strict;
    strict.spurious_returns = 0;
    EXPECT_EQ(of(
                  [] {
                      mutex m;
                      condition_variable changed;
                      plain<int> data{0};
                      thread waiter([&] {
                          unique_lock lock(m);
                          if (changed.wait_for(lock, 1) == cv_status::no_timeout) {
                              (void)data.get();
                          }
                      });
                      data.set(1);
                      changed.notify_one();
                      waiter.join();
                  },
                  strict)
                  .violation.kind,
              "data race");
}

// Nor with fences, since it is no atomic operation.
TEST(ConditionVariable, IsNoSynchronisationThroughFences) {
    options strict;
    strict.spurious_returns = 0;
    EXPECT_EQ(of(
                  [] {
                      mutex m;
                      condition_variable changed;
                      plain<int> data{0};
                      thread waiter([&] {
                          unique_lock lock(m);
                          if (changed.wait_for(lock, 1) == cv_status::no_timeout) {
                              quiesce::explorer::atomic_thread_fence(std::memory_order_acquire);
                              (void)data.get();
                          }
                      });
                      data.set(1);
                      quiesce::explorer::atomic_thread_fence(std::memory_order_release);
                      changed.notify_one();
                      waiter.join();
                  },
                  strict)
                  .violation.kind,
              "data race");
}

void waits_for_a_change(bool notifies) {
    atomic<int> x{0};
    thread waiter([&x] {
        x.wait(0, std::memory_order_acquire);
        check(x.load(relaxed) == 1);
    });
    x.store(1, std::memory_order_release);
    if (notifies) {
        x.notify_one();
    }
    waiter.join();
}

TEST(AtomicWait, WakesOnNotification) {
    const report r = of([] { waits_for_a_change(true); });
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.message << r.violation.trace;
    EXPECT_EQ(r.incomplete, 0U);
}

TEST(AtomicWait, WaitsForEverWithoutOne) {
    const report r = of([] { waits_for_a_change(false); });
    EXPECT_EQ(r.violation.kind, "deadlock");
}

// [atomics.wait]: only the load of what was stored may synchronise. The flag says that the notification came first, and
// orders nothing.
TEST(AtomicWait, IsNoSynchronisationWithTheNotification) {
    const auto program = [](std::memory_order stores) {
        return [stores] {
            atomic<int> x{0};
            atomic<bool> notified{false};
            plain<int> data{0};
            thread notifier([&] {
                data.set(1);
                x.store(1, stores);
                x.notify_one();
                notified.store(true, relaxed);
            });
            (void)notified.await([](bool n) { return n; }, relaxed);
            x.wait(0, std::memory_order_acquire);
            (void)data.get();
            notifier.join();
        };
    };
    EXPECT_EQ(of(program(relaxed)).violation.kind, "data race");
    expect_exhausted(of(program(std::memory_order_release)), 1);
}

// Nor may a thread that notified know by that what another one did which notified before.
TEST(AtomicWait, DoesNotOrderThoseWhoNotify) {
    EXPECT_EQ(of([] {
                  atomic<int> x{0};
                  atomic<bool> notified{false};
                  plain<int> data{0};
                  thread first([&] {
                      data.set(1);
                      x.notify_one();
                      notified.store(true, relaxed);
                  });
                  (void)notified.await([](bool n) { return n; }, relaxed);
                  x.notify_one();
                  quiesce::explorer::atomic_thread_fence(std::memory_order_acquire);
                  (void)data.get();
                  first.join();
              }).violation.kind,
              "data race");
}

// A wait that begins when the notification is over sees what was stored before it, or it would never end: all that the
// notification makes known is that.
TEST(AtomicWait, SeesWhatWasStoredBeforeANotification) {
    const report r = of([] {
        atomic<int> x{0};
        atomic<int> y{0};
        thread notifier([&] {
            y.store(1, relaxed);
            x.store(1, relaxed);
            x.notify_one();
        });
        x.wait(0, relaxed);
        outcome(x.load(relaxed), y.load(relaxed));
        notifier.join();
    });
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.message << "\n" << r.violation.trace;
    EXPECT_EQ(r.outcomes.size(), 2U);
    EXPECT_FALSE(r.outcomes.contains({0, 0}));
}

TEST(AtomicWait, ANotificationForOneWakesOne) {
    const auto program = [](bool all) {
        return [all] {
            atomic<int> x{0};
            const auto waits = [&x] { x.wait(0, relaxed); };
            thread first(waits);
            thread second(waits);
            x.store(1, relaxed);
            if (all) {
                x.notify_all();
            } else {
                x.notify_one();
            }
            first.join();
            second.join();
        };
    };
    EXPECT_EQ(of(program(true)).verdict, verdict::exhausted);
    EXPECT_EQ(of(program(false)).violation.kind, "deadlock");
}

// A thread that was enlisted but finds the new value does not keep the notification from one that sleeps.
TEST(AtomicWait, ANotificationIsForWhoSleeps) {
    const report r = of([] {
        atomic<int> x{0};
        atomic<int> y{0};
        thread sleeper([&x, &y] {
            y.store(1, relaxed);
            x.wait(0, relaxed);
        });
        thread late([&x] { x.wait(0, relaxed); });
        x.store(1, relaxed);
        x.notify_one();
        late.join();
        x.notify_one();
        sleeper.join();
    });
    // Whoever of the two the first wakes, or none: the second wakes the other, unless `late` never ends.
    EXPECT_TRUE(r.verdict == verdict::exhausted || r.violation.kind == "deadlock");
    const report both = of([] {
        atomic<int> x{0};
        thread sleeper([&x] { x.wait(0, relaxed); });
        thread late([&x] {
            (void)x.await([](int v) { return v == 1; }, relaxed);
            x.wait(0, relaxed);
        });
        x.store(1, relaxed);
        x.notify_one();
        sleeper.join();
        late.join();
    });
    EXPECT_EQ(both.verdict, verdict::exhausted) << both.violation.message << "\n" << both.violation.trace;
}

TEST(Semaphore, LetsInAsManyAsItCounts) {
    const report r = of([] {
        counting_semaphore<2> places(1);
        plain<int> n{0};
        const auto uses = [&] {
            places.acquire();
            n.set(n.get() + 1);
            places.release();
        };
        thread first(uses);
        thread second(uses);
        first.join();
        second.join();
        check(n.get() == 2);
    });
    expect_exhausted(r, 2);
    EXPECT_EQ(of([] {
                  counting_semaphore<2> places(2);
                  plain<int> n{0};
                  const auto uses = [&] {
                      places.acquire();
                      n.set(1);
                      places.release();
                  };
                  thread first(uses);
                  thread second(uses);
                  first.join();
                  second.join();
              }).violation.kind,
              "data race");
    EXPECT_EQ(of([] {
                  binary_semaphore s(1);
                  s.release();
              }).violation.kind,
              "misuse");
}

TEST(Semaphore, MayRefuseForNoReason) {
    const report r = of([] {
        binary_semaphore s(1);
        outcome(s.try_acquire());
    });
    expect_exhausted(r, 2);
}

TEST(Latch, OpensWhenAllHaveCountedDown) {
    const report r = of([] {
        latch ready(2);
        plain<int> a{0};
        plain<int> b{0};
        thread first([&] {
            a.set(1);
            ready.count_down();
        });
        thread second([&] {
            b.set(1);
            ready.count_down();
        });
        ready.wait();
        check(a.get() + b.get() == 2);
        first.join();
        second.join();
    });
    expect_exhausted(r, 2);
    EXPECT_EQ(of([] {
                  latch one(1);
                  one.count_down(2);
              }).violation.kind,
              "misuse");
}

TEST(Barrier, SeparatesPhases) {
    const report r = of([] {
        int completions = 0;
        const auto completion = [&completions] { ++completions; };
        barrier<decltype(completion)> phase(2, completion);
        plain<int> a{0};
        plain<int> b{0};
        thread other([&] {
            a.set(1);
            phase.arrive_and_wait();
            check(b.get() == 1);
            phase.arrive_and_wait();
            a.set(2);
        });
        b.set(1);
        phase.arrive_and_wait();
        check(a.get() == 1);
        phase.arrive_and_wait();
        b.set(2);
        other.join();
        check(completions == 2);
    });
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.message << r.violation.trace;
    // Who arrives first in either phase, and whether each thread notices the end of the first by the completion or by
    // the other's next arrival.
    EXPECT_EQ(r.executions, 8U);
}

TEST(Barrier, ExpectsOneLessWhenOneDropsOut) {
    const report r = of([] {
        barrier phase(2);
        thread other([&] { phase.arrive_and_drop(); });
        phase.arrive_and_wait();
        phase.arrive_and_wait();
        other.join();
    });
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.message << r.violation.trace;
    EXPECT_EQ(of([] {
                  barrier phase(1);
                  (void)phase.arrive(2);
              }).violation.kind,
              "misuse");
}

TEST(CallOnce, CallsOnceAndEverybodySeesIt) {
    const report r = of([] {
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
    const report r = of([] {
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

TEST(ThreadSpecific, IsEachThreadsOwn) {
    const report r = of([] {
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
    const report r = of([] {
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
    EXPECT_EQ(of([] { thread forgotten([] {}); }).violation.kind, "unjoined thread");
    EXPECT_EQ(of([] {
                  thread gone([] {});
                  gone.detach();
              }).verdict,
              verdict::exhausted);
    EXPECT_EQ(of([] {
                  thread t([] {});
                  t.join();
                  t.join();
              }).violation.kind,
              "misuse");
}

TEST(Thread, MovesAndTakesArguments) {
    expect_exhausted(of([] {
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
    const report r = of([] {
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
    EXPECT_NE(r.violation.message.find("joins at waiting_test.cpp:"), std::string::npos) << r.violation.message;
}

}  // namespace
