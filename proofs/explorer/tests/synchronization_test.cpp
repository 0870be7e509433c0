// Semaphores, latches and barriers.
#include <gtest/gtest.h>

#include <quiesce/explorer.hpp>
#include "proofs/explorer/tests/expect.hpp"

namespace {

using namespace quiesce::explorer;
constexpr auto relaxed = std::memory_order_relaxed;

TEST(Semaphore, OrdersNothingForWhoReleasesIt) {
    EXPECT_EQ(explore([] {
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

TEST(Semaphore, LetsInAsManyAsItCounts) {
    const report r = explore([] {
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
    EXPECT_EQ(explore([] {
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
    EXPECT_EQ(explore([] {
                  binary_semaphore s(1);
                  s.release();
              }).violation.kind,
              "misuse");
}

TEST(Semaphore, MayRefuseForNoReason) {
    const report r = explore([] {
        binary_semaphore s(1);
        outcome(s.try_acquire());
    });
    expect_exhausted(r, 2);
}

TEST(Latch, OpensWhenAllHaveCountedDown) {
    const report r = explore([] {
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
    EXPECT_EQ(explore([] {
                  latch one(1);
                  one.count_down(2);
              }).violation.kind,
              "misuse");
}

TEST(Barrier, SeparatesPhases) {
    const report r = explore([] {
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
    const report r = explore([] {
        barrier phase(2);
        thread other([&] { phase.arrive_and_drop(); });
        phase.arrive_and_wait();
        phase.arrive_and_wait();
        other.join();
    });
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.message << r.violation.trace;
    EXPECT_EQ(explore([] {
                  barrier phase(1);
                  (void)phase.arrive(2);
              }).violation.kind,
              "misuse");
}

}  // namespace
