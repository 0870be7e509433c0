// The backlog of free_rcu: how far producers may run ahead of the driver.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "tsan_tests/free_rcu_support.hpp"

namespace {

using namespace quiesce::tests;
using quiesce::free_rcu;
using quiesce::rcu_domain;
using std::chrono::steady_clock;

/// `throttle_at` is one object in most tests: every full block is over the limit.
class FreeRcuBacklog : public testing::Test {
protected:
    std::atomic<int> deleted{0};
    rcu_domain domain;

    void defer(int count) { quiesce::tests::defer<headless>(count, deleted, domain); }

    ~FreeRcuBacklog() override { domain.free_rcu_barrier(); }

    static constexpr unsigned long_ms = std::chrono::milliseconds(patience).count();

    // Returns how long it took.
    template <class Call>
    static steady_clock::duration time_of(Call call) {
        const auto start = steady_clock::now();
        call();
        return steady_clock::now() - start;
    }
};

TEST_F(FreeRcuBacklog, CountsWhatWasHandedOverAndNotFreed) {
    reader in_the_way(domain);
    defer(2 * block + 1);
    EXPECT_TRUE(eventually([&] { return domain.backlog() == 2 * block + 1; }));
    in_the_way.leave();
    domain.free_rcu_barrier();
    EXPECT_EQ(domain.backlog(), 0U);
    EXPECT_EQ(domain.backlog_limit_exceeded(), 0U);
}

TEST_F(FreeRcuBacklog, AProducerOverTheLimitIsSlowedDownAtMostAsLongAsAllowed) {
    domain.limit_backlog({.hurry_at = 1, .throttle_at = 1, .throttle_ms = 5});
    const reader in_the_way(domain);
    EXPECT_GE(time_of([&] { defer(6 * block); }), 4 * 5ms);
    EXPECT_GE(domain.backlog_limit_exceeded(), 4U);
}

TEST_F(FreeRcuBacklog, AProducerThatWaitedForTheDriverIsNotCounted) {
    domain.limit_backlog({.hurry_at = 1, .throttle_at = 1, .throttle_ms = long_ms});
    reader in_the_way(domain);
    const std::jthread leaver = in_the_way.leave_after(20ms);
    EXPECT_LT(time_of([&] { defer(4 * block); }), patience / 2);
    EXPECT_TRUE(in_the_way.left());
    EXPECT_EQ(domain.backlog_limit_exceeded(), 0U);
}

TEST_F(FreeRcuBacklog, HeadsAndSectionsOfAnyDomainAreCountedAndNotSlowedDown) {
    domain.limit_backlog({.hurry_at = 1, .throttle_at = 1, .throttle_ms = long_ms});
    rcu_domain other;
    const reader in_the_way(domain);
    std::uint64_t counted = 0;
    const auto goes_through = [&](auto deferral) {
        EXPECT_LT(time_of(deferral), patience / 2);
        EXPECT_GT(domain.backlog_limit_exceeded(), counted);
        counted = domain.backlog_limit_exceeded();
    };
    goes_through([&] { quiesce::tests::defer<headed>(4 * block, deleted, domain); });
    goes_through([&] {
        const std::scoped_lock section(other);
        defer(4 * block);
    });
    goes_through([&] {
        const std::scoped_lock section(domain);
        for (int i = 0; i != 4 * block; ++i) {
            ASSERT_TRUE(try_free_rcu(new headless(deleted), std::default_delete<headless>(), domain));
        }
    });
}

TEST_F(FreeRcuBacklog, ADeleterOverTheLimitIsNotSlowedDown) {
    struct parent : headless {
        parent(std::atomic<int>& count, rcu_domain& d) : headless(count), home(&d) {}
        ~parent() { quiesce::tests::defer<headless>(1, *deleted, *home); }
        rcu_domain* home;
    };
    domain.limit_backlog({.hurry_at = 1, .throttle_at = 1, .throttle_ms = long_ms});
    for (int i = 0; i != 4 * block; ++i) {
        ASSERT_TRUE(try_free_rcu(new parent(deleted, domain), std::default_delete<parent>(), domain));
    }
    EXPECT_LT(time_of([&] {
                  domain.free_rcu_barrier();
                  domain.free_rcu_barrier();
              }),
              patience / 2);
    EXPECT_EQ(deleted, 8 * block);
    EXPECT_GT(domain.backlog_limit_exceeded(), 0U);
}

// A deleter that would wait for ever for the producer's lock gives up, so that a deadlock is a failure.
class FreeRcuUnderALock : public FreeRcuBacklog, public testing::WithParamInterface<unsigned> {
protected:
    static inline std::timed_mutex lock;
    static inline std::atomic<int> given_up;
    struct locking {
        void operator()(headless* object) const {
            const std::unique_lock hold(lock, given_up == 0 ? 2s : 0s);
            given_up += hold.owns_lock() ? 0 : 1;
            delete object;
        }
    };
};

TEST_P(FreeRcuUnderALock, AProducerOverTheLimitMayHoldALockThatDeletersTake) {
    given_up = 0;
    domain.limit_backlog({.hurry_at = 1, .throttle_at = 1, .throttle_ms = GetParam()});
    {
        const std::scoped_lock hold(lock);
        for (int i = 0; i != 10 * block; ++i) {
            free_rcu(new headless(deleted), locking(), domain);
        }
    }
    domain.free_rcu_barrier();
    EXPECT_EQ(deleted, 10 * block);
    EXPECT_EQ(given_up, 0);
}

// Slowed down for a short time at most, or not at all.
INSTANTIATE_TEST_SUITE_P(ThrottleMs, FreeRcuUnderALock, testing::Values(1U, 0U));

// One producer hands a block over only below the limit, and the monitor may hand over one that is not full.
TEST_F(FreeRcuBacklog, OneProducerStaysWithinTheLimit) {
    constexpr std::uint64_t limit = std::uint64_t{32} * block;
    static std::atomic<std::uint64_t> most;
    most = 0;
    struct payload {
        explicit payload(rcu_domain& d) : home(&d) {}
        ~payload() { most = std::max(most.load(), home->backlog()); }  // on the driver only
        rcu_domain* home;
        char bytes[64 - sizeof(rcu_domain*)] = {};
    };
    domain.limit_backlog({.hurry_at = std::uint64_t{4} * block, .throttle_at = limit, .throttle_ms = 60'000});
    reader in_the_way(domain);
    const std::jthread leaver = in_the_way.leave_after(20ms);
    for (int i = 0; i != 2'000'000; ++i) {
        free_rcu(new payload(domain), std::default_delete<payload>(), domain);
    }
    domain.free_rcu_barrier();
    EXPECT_GE(most, limit);  // while the reader was there
    EXPECT_LE(most, limit + std::uint64_t{2} * block);
    EXPECT_EQ(domain.backlog_limit_exceeded(), 0U);
}

}  // namespace
