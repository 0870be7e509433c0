// Waiting at an atomic for a notification.
#include <gtest/gtest.h>

#include <quiesce/explorer.hpp>
#include "proofs/explorer/tests/expect.hpp"

namespace {

using namespace quiesce::explorer;
constexpr auto relaxed = std::memory_order_relaxed;

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
    const report r = explore([] { waits_for_a_change(true); });
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.message << r.violation.trace;
    EXPECT_EQ(r.incomplete, 0U);
}

TEST(AtomicWait, WaitsForEverWithoutOne) {
    const report r = explore([] { waits_for_a_change(false); });
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
    EXPECT_EQ(explore(program(relaxed)).violation.kind, "data race");
    expect_exhausted(explore(program(std::memory_order_release)), 1);
}

// Nor may a thread that notified know by that what another one did which notified before.
TEST(AtomicWait, DoesNotOrderThoseWhoNotify) {
    EXPECT_EQ(explore([] {
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
    const report r = explore([] {
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
    EXPECT_EQ(explore(program(true)).verdict, verdict::exhausted);
    EXPECT_EQ(explore(program(false)).violation.kind, "deadlock");
}

// A thread that was enlisted but finds the new value does not keep the notification from one that sleeps.
TEST(AtomicWait, ANotificationIsForWhoSleeps) {
    const report r = explore([] {
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
    const report both = explore([] {
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

}  // namespace
