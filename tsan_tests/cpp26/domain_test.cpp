// [saferecl.rcu.domain.general] and [saferecl.rcu.domain.members] of C++26.
#include <gtest/gtest.h>

#include <condition_variable>
#include <latch>
#include <mutex>
#include <thread>
#include <type_traits>

#include "tsan_tests/cpp26/rcu_under_test.hpp"

namespace {

using namespace quiesce::tests;
using rcu_ns::rcu_domain;

rcu_domain& domain() noexcept {
    return rcu_ns::rcu_default_domain();
}

// What is written in a region, some time after it was opened, is there when rcu_synchronize has returned.
template <class Open>
void expect_waited_for(Open open) {
    int written = 0;
    std::latch opened(1);
    const std::jthread reader([&] {
        const auto region = open();
        opened.count_down();
        std::this_thread::sleep_for(a_moment);
        written = 1;
    });
    opened.wait();
    rcu_ns::rcu_synchronize();
    EXPECT_EQ(written, 1);
}

// [saferecl.rcu.domain.general]: "rcu_domain(const rcu_domain&) = delete; rcu_domain& operator=(const rcu_domain&) =
// delete;"
TEST(Cpp26Domain, IsNeitherCopiedNorMoved) {
    static_assert(std::is_class_v<rcu_domain>);
    static_assert(!std::is_copy_constructible_v<rcu_domain> && !std::is_move_constructible_v<rcu_domain>);
    static_assert(!std::is_copy_assignable_v<rcu_domain> && !std::is_move_assignable_v<rcu_domain>);
}

// [saferecl.rcu.domain.general] p1: "This class meets the requirements of Cpp17Lockable and provides regions of RCU
// protection."
TEST(Cpp26Domain, MeetsLockable) {
    static_assert(std::is_same_v<decltype(domain().lock()), void>);
    static_assert(std::is_same_v<decltype(domain().try_lock()), bool>);
    static_assert(std::is_same_v<decltype(domain().unlock()), void>);
    const std::lock_guard guard(domain());
    std::unique_lock unique(domain(), std::try_to_lock);
    EXPECT_TRUE(unique.owns_lock());
    unique.unlock();
    unique.lock();
    std::unique_lock deferred(domain(), std::defer_lock);
    std::mutex m;
    std::unique_lock other(m, std::defer_lock);
    std::lock(deferred, other);
    EXPECT_TRUE(deferred.owns_lock() && other.owns_lock());
    std::mutex second;
    EXPECT_EQ(std::try_lock(domain(), second), -1);
    second.unlock();
    domain().unlock();
}

// [saferecl.rcu.domain.general] p1, with what waits for any Lockable: the region is closed while it waits.
TEST(Cpp26Domain, AConditionVariableClosesTheRegionWhileItWaits) {
    std::condition_variable_any changed;
    std::latch opened(1);
    std::atomic<bool> go{false};
    const std::jthread reader([&] {
        std::unique_lock region(domain());
        opened.count_down();
        while (!go) {
            changed.wait_for(region, std::chrono::milliseconds(1));
        }
    });
    opened.wait();
    rcu_ns::rcu_synchronize();
    go = true;
    changed.notify_all();
}

// [saferecl.rcu.domain.general] p1: "[Example 1: std::scoped_lock<rcu_domain> rlock(rcu_default_domain()); - end
// example]"
TEST(Cpp26Domain, TheExampleOpensARegion) {
    expect_waited_for([] { return std::scoped_lock<rcu_domain>(rcu_ns::rcu_default_domain()); });
}

// [saferecl.rcu.domain.general] p2: "The functions lock and unlock establish (possibly nested) regions of RCU
// protection."
TEST(Cpp26Domain, RegionsMayBeNested) {
    expect_waited_for([] {
        std::unique_lock outer(domain());
        {
            const std::scoped_lock inner(domain());
            const std::scoped_lock innermost(domain());
        }
        return outer;
    });
}

// [saferecl.rcu.domain.members] p1: lock "Opens a region of RCU protection."
TEST(Cpp26Members, LockOpensARegion) {
    int written = 0;
    region_elsewhere reader([&written] { written = 1; });
    rcu_ns::rcu_synchronize();
    EXPECT_EQ(written, 1);
}

// [saferecl.rcu.domain.members] p2: "Calls to lock do not introduce a data race involving *this." p7: "Calls to unlock
// do not introduce a data race involving *this."
TEST(Cpp26Members, LockAndUnlockDoNotRace) {
    std::jthread threads[4];
    for (std::jthread& t : threads) {
        t = std::jthread([] {
            for (int i = 0; i != 2000; ++i) {
                const std::scoped_lock region(domain());
                const std::scoped_lock nested(domain());
            }
        });
    }
    for (int i = 0; i != 20; ++i) {
        rcu_ns::rcu_synchronize();
    }
}

// [saferecl.rcu.domain.members] p3: try_lock is "Equivalent to lock()." p4: "Returns: true."
TEST(Cpp26Members, TryLockOpensARegionAndReturnsTrue) {
    int written = 0;
    std::latch opened(1);
    const std::jthread reader([&] {
        EXPECT_TRUE(domain().try_lock());
        EXPECT_TRUE(domain().try_lock());
        domain().unlock();
        opened.count_down();
        std::this_thread::sleep_for(a_moment);
        written = 1;
        domain().unlock();
    });
    opened.wait();
    rcu_ns::rcu_synchronize();
    EXPECT_EQ(written, 1);
}

// [saferecl.rcu.domain.members]: "void unlock() noexcept;"
TEST(Cpp26Members, UnlockThrowsNothing) {
    static_assert(noexcept(domain().unlock()));
}

// [saferecl.rcu.domain.members] p6: unlock "Closes the unclosed region of RCU protection that was most recently
// opened."
TEST(Cpp26Members, UnlockClosesTheRegionThatWasOpenedLast) {
    domain().lock();
    domain().lock();
    domain().unlock();
    domain().unlock();
    rcu_ns::rcu_synchronize();  // does not wait for ever for this thread
}

}  // namespace
