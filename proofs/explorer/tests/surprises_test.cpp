// Programs that once surprised the explorer.
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <string>
#include <thread>

#include <quiesce/explorer.hpp>
#include "proofs/explorer/tests/expect.hpp"

namespace {

using namespace quiesce::explorer;
constexpr auto rlx = std::memory_order_relaxed;
constexpr auto acq = std::memory_order_acquire;
constexpr auto rel = std::memory_order_release;

// What is read next may be what a thread wrote that is behind in this run.
TEST(Surprises, OrdinaryMemoryIsBuiltBeforeItIsRead) {
    const report r = explore([] {
        atomic<int> x{0};
        atomic<int> y{0};
        int data = 0;
        thread t2([&] {
            data = 42;
            y.store(1, rel);
        });
        thread t3([&] { x.store(1, rel); });
        (void)x.await([](int v) { return v == 1; }, acq);
        (void)choose(2);
        if (y.load(acq) == 1) {
            check(data == 42, "published before it was written");
        }
        t2.join();
        t3.join();
    });
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.message;
    EXPECT_EQ(r.executions, 4U);
}

TEST(Surprises, SeveralMutexesTakenTogetherByThree) {
    const report r = explore([] {
        mutex a;
        mutex b;
        mutex c;
        plain<int> n{0};
        const auto add = [&n] { n.set(n.get() + 1); };
        thread first([&] {
            const scoped_lock all(a, b, c);
            add();
        });
        thread second([&] {
            const scoped_lock all(c, a, b);
            add();
        });
        {
            const scoped_lock all(b, c, a);
            add();
        }
        first.join();
        second.join();
        check(n.get() == 3);
    });
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.kind << ": " << r.violation.message;
}

// The word of those that wait is first used after a revisit.
TEST(Surprises, NobodyIsWokenWhomNobodyNotified) {
    options strict;
    strict.spurious_returns = 0;
    EXPECT_EQ(explore(
                  [] {
                      atomic<int> x{0};
                      mutex m;
                      condition_variable c;
                      thread t([&x] { x.store(1); });
                      if (x.load() == 1) {
                          unique_lock lock(m);
                          c.wait(lock);
                      }
                      t.join();
                  },
                  strict)
                  .violation.kind,
              "deadlock");
}

// A part that stands for no execution, only for what comes of it: two threads hold the mutex in it.
TEST(Surprises, APartMayBeCutWhereTwoUpdatesReadOneWrite) {
    const auto program = [] {
        mutex m;
        atomic<int> y{0};
        const auto use = [&](int i) {
            y.store(i);
            m.lock();
            y.fetch_add(1, rlx);
            m.unlock();
        };
        thread a([&] { use(1); });
        thread b([&] { use(2); });
        use(3);
        a.join();
        b.join();
    };
    const report whole = explore(program);
    const std::string file = testing::TempDir() + "quiesce_surprise_" + std::to_string(::getpid());
    for (std::uint64_t cut = 1; cut < whole.executions; cut += 3) {
        options how;
        how.checkpoint = file;
        how.max_executions = cut;
        ASSERT_EQ(explore(program, how).verdict, verdict::bounded);
        how.max_executions = 0;
        const report rest = explore(program, how);
        EXPECT_EQ(rest.verdict, verdict::exhausted) << cut << ": " << rest.violation.message;
        EXPECT_EQ(rest.executions, whole.executions) << cut;
    }
    std::filesystem::remove(file);
}

// [thread.condition.condvar]: that all were notified is enough.
TEST(Surprises, AConditionVariableIsDestroyedWhenAllWereNotified) {
    const auto program = [](bool notifies) {
        return [notifies] {
            mutex m;
            bool ready = false;
            auto* const c = new condition_variable;
            thread t([&, c] {
                unique_lock lock(m);
                while (!ready) {
                    c->wait(lock);
                }
            });
            {
                const lock_guard hold(m);
                ready = true;
                if (notifies) {
                    c->notify_all();
                }
            }
            delete c;
            t.join();
        };
    };
    options strict;
    strict.spurious_returns = 0;
    EXPECT_EQ(explore(program(true), strict).verdict, verdict::exhausted);
    EXPECT_EQ(explore(program(false), strict).violation.kind, "use after free");
}

TEST(Surprises, ANotificationMayBeTakenByAWaitThatTimesOut) {
    const report r = explore([] {
        mutex m;
        condition_variable c;
        bool ready = false;
        thread timed([&] {
            unique_lock lock(m);
            if (!ready && c.wait_for(lock, 1) == cv_status::timeout) {
                return;
            }
            c.notify_one();
        });
        thread patient([&] {
            unique_lock lock(m);
            while (!ready) {
                c.wait(lock);
            }
        });
        {
            const lock_guard hold(m);
            ready = true;
        }
        c.notify_one();
        timed.join();
        patient.join();
    });
    EXPECT_EQ(r.violation.kind, "deadlock");
}

TEST(Surprises, AWeakCompareExchangeInALoopEnds) {
    const report r = explore([] {
        atomic<int> x{0};
        const auto increment = [&x] {
            int seen = x.load(rlx);
            while (!x.compare_exchange_weak(seen, seen + 1, rlx)) {
            }
        };
        thread other(increment);
        increment();
        other.join();
        check(x.load(rlx) == 2);
    });
    EXPECT_EQ(r.verdict, verdict::exhausted);
}

TEST(Surprises, JobsAreForkedWhileOthersExplore) {
    std::jthread other([](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            (void)explore([] {});
        }
    });
    options how;
    how.jobs = 3;
    for (int i = 0; i != 200; ++i) {
        ASSERT_EQ(explore([] { (void)choose(3); }, how).executions, 3U);
    }
}

// [thread.barrier.class]: arrivals come before the completion, not before each other.
TEST(Surprises, ArrivingAtABarrierOrdersNobodyElse) {
    EXPECT_EQ(explore([] {
                  barrier phase(3);
                  atomic<bool> first{false};
                  plain<int> x{0};
                  thread t([&] {
                      x.set(1);
                      (void)phase.arrive();
                      first.store(true, rlx);
                  });
                  (void)first.await([](bool b) { return b; }, rlx);
                  (void)phase.arrive();
                  (void)x.get();
                  t.join();
              }).violation.kind,
              "data race");
}

TEST(Surprises, AFaultLeavesTheStackToThoseWhoLookAtIt) {
    options how;
    how.keep_going = true;
    const report r = explore(
        [] {
            int array[64] = {};
            atomic<bool> failed{false};
            thread t([&] {
                (void)failed.await([](bool b) { return b; }, acq);
                int sum = 0;
                for (const int n : array) {
                    sum += n;
                }
                check(sum == 64, "somebody wrote on the stack");
            });
            for (int& n : array) {
                n = 1;
            }
            failed.store(true, rel);
            int* nowhere = nullptr;
            asm volatile("" : "+r"(nowhere));
            *nowhere = 1;
            t.join();
        },
        how);
    EXPECT_EQ(r.violations.size(), 1U);
    EXPECT_TRUE(r.violations.contains("segmentation fault"));
}

TEST(Surprises, APartIsGivenBackBeforeTheWhole) {
    const report r = explore([] {
        auto* const slab = new plain<int>[4];
        free_memory(&slab[0], sizeof slab[0]);
        delete[] slab;
    });
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.message;
}

TEST(Surprises, AThreadSpecificValueEndsWithItsVariable) {
    const report r = explore([] {
        for (int i = 0; i != 2; ++i) {
            const thread_specific<int> mine;
            check(*mine == 0);
            *mine = 5;
        }
    });
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.message;
}

TEST(Surprises, FreshMemoryIsTheSameInEveryExecution) {
    const report r = explore([] {
        (void)choose(2);
        const auto* const fresh = new unsigned char[4];
        outcome(fresh[0]);
        delete[] fresh;
        auto* const dirty = new int(7);
        delete dirty;
    });
    EXPECT_EQ(r.outcomes.size(), 1U);
}

TEST(Surprises, PaddingIsNoPartOfAValue) {
    struct padded {
        char c;
        int n;
    };
    const report r = explore([] {
        (void)choose(2);
        const auto make = [](unsigned char dirt) {
            padded p;
            __builtin_memset(static_cast<void*>(&p), dirt, sizeof p);
            p.c = 1;
            p.n = 2;
            return p;
        };
        atomic<padded> x{make(0x11)};
        padded expected = make(0x22);
        check(x.compare_exchange_strong(expected, make(0x33)));
    });
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.message;
}

TEST(Surprises, ACheckpointIsOfTheMemoryOrdersToo) {
    const std::string file = testing::TempDir() + "quiesce_orders_" + std::to_string(::getpid());
    const auto program = [](std::memory_order stores) {
        return [stores] {
            atomic<int> x{0};
            atomic<int> y{0};
            thread t([&] {
                x.store(1, rlx);
                y.store(1, stores);
            });
            const int seen = y.load(acq);
            outcome(seen, x.load(rlx));
            t.join();
        };
    };
    options how;
    how.checkpoint = file;
    how.max_executions = 2;
    ASSERT_EQ(explore(program(rlx), how).verdict, verdict::bounded);
    EXPECT_EQ(explore(program(rel), how).violation.kind, "another program");
    std::filesystem::remove(file);
}

TEST(Surprises, AnExplorationInsideAnotherIsRefused) {
    const report r = explore([] { (void)explore([] {}); });
    EXPECT_EQ(r.verdict, verdict::engine_error);
}

TEST(Surprises, ADeadlockOfDeepeningIsReplayed) {
    options how;
    how.search = search::deepening;
    const report found = explore(&two_mutexes_in_two_orders, how);
    ASSERT_EQ(found.violation.kind, "deadlock");
    how.replay = found.violation.graph;
    EXPECT_EQ(explore(&two_mutexes_in_two_orders, how).violation.trace, found.violation.trace);
    how.replay = "1 0 0 0 ";
    EXPECT_EQ(explore(&two_mutexes_in_two_orders, how).violation.kind, "damaged graph");
}

TEST(Surprises, AHeapThatIsUsedUpIsNoFaultOfTheProgram) {
    const report r = explore([] {
        for (int i = 0; i != 2'000; ++i) {
            char* memory = new char[1'024];
            asm volatile("" : "+r"(memory));
            delete[] memory;
        }
    });
    EXPECT_EQ(r.verdict, verdict::engine_error);
    EXPECT_EQ(r.violation.message, "the heap of a thread is used up");
}

// A thread that has added to a list counts the addition, and another one that has read the count takes the list. It
// finds the addition also when it read the count with a relaxed load: the take stores too, so to be missed the addition
// would have to read what the take stored, and the take would come before the count that it followed. That is load
// buffering.
TEST(Surprises, WhatACounterCountedIsTakenWhateverTheOrderOfItsLoad) {
    const auto missed_with = [](std::memory_order order) {
        options counting;
        counting.keep_going = true;
        return explore(
            [order] {
                atomic<int> list{0};
                atomic<int> count{0};
                thread adder([&] {
                    (void)list.fetch_add(1, rel);
                    (void)count.fetch_add(1, rel);
                });
                if (count.load(order) == 1) {
                    check(list.exchange(0, acq) == 1, "counted, and not found");
                }
                adder.join();
            },
            counting);
    };
    for (const std::memory_order order : {rlx, acq}) {
        const report r = missed_with(order);
        EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.message;
        EXPECT_EQ(r.executions, 2U);
    }
}

}  // namespace
