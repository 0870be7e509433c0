// Waiting for what was given to free_rcu: which objects the barrier covers, and what else does not wait for them.
#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <latch>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "tsan_tests/free_rcu_support.hpp"

namespace {

using namespace quiesce::tests;
using quiesce::rcu_domain;
using quiesce::step_result;
using std::chrono::steady_clock;

class FreeRcuBarrier : public testing::Test {
protected:
    std::atomic<int> deleted{0};
    rcu_domain domain;
};

TEST_F(FreeRcuBarrier, ReturnsAtOnceWhenNothingIsDeferred) {
    reader in_the_way(domain);
    domain.free_rcu_barrier();
    EXPECT_FALSE(in_the_way.left());
    defer<headless>(1, deleted, domain);
    in_the_way.leave();
    domain.free_rcu_barrier();
    const reader another(domain);
    domain.free_rcu_barrier();
    EXPECT_EQ(deleted, 1);
}

TEST_F(FreeRcuBarrier, CoversWhatAnIdleThreadHasCollected) {
    // The first round makes the thread known; later ones find that only the barrier takes from it, unless the driver's
    // delay is over.
    std::atomic<int> asked{0};
    std::atomic<int> served{0};
    std::jthread producer([&] {
        for (int round = 1; round != 50; ++round) {
            asked.wait(round - 1);
            defer<headless>(10, deleted, domain);
            defer<headed>(10, deleted, domain);
            served = round;
            served.notify_all();
        }
    });
    for (int round = 1; round != 50; ++round) {
        asked = round;
        asked.notify_all();
        served.wait(round - 1);
        domain.free_rcu_barrier();
        EXPECT_EQ(deleted, 20 * round);
    }
}

TEST_F(FreeRcuBarrier, CoversWhatThreadsLeftBehindWhenTheyExited) {
    for (int round = 1; round != 50; ++round) {
        std::thread([&] {
            defer<headless>(10, deleted, domain);
            defer<headed>(10, deleted, domain);
        }).join();
        domain.free_rcu_barrier();
        ASSERT_EQ(deleted, 20 * round);
    }
}

void move_to(int cpu) {
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(cpu, &only);
    EXPECT_EQ(::sched_setaffinity(0, sizeof(only), &only), 0);
}

TEST_F(FreeRcuBarrier, CoversEveryShardFromEveryShard) {
    cpu_set_t allowed;
    ASSERT_EQ(::sched_getaffinity(0, sizeof(allowed), &allowed), 0);
    std::vector<int> cpus;
    for (int cpu = 0; cpu != CPU_SETSIZE && cpus.size() != 2; ++cpu) {
        if (CPU_ISSET(cpu, &allowed)) {
            cpus.push_back(cpu);
        }
    }
    for (const int producer : cpus) {
        for (const int waiter : cpus) {
            deleted = 0;
            reader in_the_way(domain);
            std::thread([&] {
                move_to(producer);
                defer<headed>(block, deleted, domain);  // hands them over
            }).join();
            std::atomic<bool> returned{false};
            const std::jthread barrier([&] {
                move_to(waiter);
                domain.free_rcu_barrier();
                EXPECT_EQ(deleted, block);
                returned = true;
            });
            std::this_thread::sleep_for(5ms);
            EXPECT_FALSE(returned);
            in_the_way.leave();
            EXPECT_TRUE(eventually([&] { return returned.load(); }));
        }
    }
}

TEST_F(FreeRcuBarrier, CoversEveryBatchAndWhatIsPendingBehindThem) {
    reader in_the_way(domain);
    std::uint64_t deferred = 0;
    for (int batch = 0; batch != 5; ++batch) {
        defer<headless>(block + 1, deleted, domain);
        defer<headed>(block + 1, deleted, domain);
        deferred += std::uint64_t{2} * (block + 1);
        domain.hurry();
        ASSERT_TRUE(eventually([&] { return domain.backlog() == deferred; }));
    }
    const std::jthread leaver = in_the_way.leave_after(5ms);
    domain.free_rcu_barrier();
    EXPECT_EQ(deleted, static_cast<int>(deferred));
}

TEST_F(FreeRcuBarrier, CoversFreesOfOtherThreadsThatHappenBeforeIt) {
    std::atomic<int> ready{0};
    std::atomic<bool> stop{false};
    std::vector<std::jthread> threads;
    for (int i = 0; i != 4; ++i) {
        threads.emplace_back([&] {
            for (int n = 0; n != 3 * block; ++n) {
                defer<headless>(1, deleted, domain);
            }
            ready.fetch_add(1);
            stop.wait(false);
        });
    }
    EXPECT_TRUE(eventually([&] { return ready == 4; }));
    domain.free_rcu_barrier();
    EXPECT_EQ(deleted, 4 * 3 * block);
    stop = true;
    stop.notify_all();
}

TEST_F(FreeRcuBarrier, IsNotHeldUpByWhatIsDeferredMeanwhile) {
    std::atomic<bool> stop{false};
    std::jthread producer([&] {
        while (!stop) {
            defer<headless>(1, deleted, domain);
            defer<headed>(1, deleted, domain);
        }
    });
    std::atomic<int> own{0};
    for (int round = 1; round != 50; ++round) {
        defer<headless>(1, own, domain);
        domain.free_rcu_barrier();
        EXPECT_EQ(own, round);
    }
    stop = true;
    producer.join();
    domain.free_rcu_barrier();
}

TEST_F(FreeRcuBarrier, ConcurrentBarriersAllReturn) {
    std::vector<std::jthread> threads;
    for (int i = 0; i != 4; ++i) {
        threads.emplace_back([&] {
            for (int n = 0; n != 50; ++n) {
                std::atomic<int> own{0};
                defer<headless>(1, own, domain);
                domain.free_rcu_barrier();
                EXPECT_EQ(own, 1);
            }
        });
    }
}

TEST_F(FreeRcuBarrier, DoesNotCoverWhatADeleterDefers) {
    static std::optional<reader> in_the_way;
    struct parent : headless {
        parent(std::atomic<int>& count, rcu_domain& d) : headless(count), home(&d) {}
        ~parent() {
            in_the_way.emplace(*home);  // holds back what is deferred now
            defer<headless>(1, *deleted, *home);
        }
        rcu_domain* home;
    };
    quiesce::free_rcu(new parent(deleted, domain), std::default_delete<parent>(), domain);
    domain.free_rcu_barrier();
    EXPECT_EQ(deleted, 1);
    EXPECT_FALSE(in_the_way->left());
    in_the_way.reset();
    domain.free_rcu_barrier();
    EXPECT_EQ(deleted, 2);
}

// The confusion of the two barriers.
TEST_F(FreeRcuBarrier, RcuBarrierDoesNotWaitForFrees) {
    reader in_the_way(domain);
    defer<headless>(block + 1, deleted, domain);
    defer<headed>(block + 1, deleted, domain);
    quiesce::rcu_barrier(domain);
    EXPECT_FALSE(in_the_way.left());
    EXPECT_EQ(deleted, 0);
    in_the_way.leave();
    quiesce::free_rcu_barrier(domain);
    EXPECT_EQ(deleted, 2 * (block + 1));
}

TEST_F(FreeRcuBarrier, DoesNotWaitForCallbacks) {
    static std::atomic<bool> ran;
    ran = false;
    quiesce::rcu_head callback;
    reader in_the_way(domain);
    domain.retire(&callback, [](quiesce::rcu_head*) { ran = true; });
    domain.free_rcu_barrier();
    EXPECT_FALSE(ran);
    in_the_way.leave();
    domain.barrier();
}

TEST_F(FreeRcuBarrier, ThreadLocalDestructorsMayStillDefer) {
    struct late {
        ~late() {
            defer<headless>(block + 1, *deleted, *home);
            defer<headed>(block + 1, *deleted, *home);
        }
        std::atomic<int>* deleted = nullptr;
        rcu_domain* home = nullptr;
    };
    for (int round = 1; round != 10; ++round) {
        std::thread([&] {
            thread_local late l;
            l.deleted = &deleted;
            l.home = &domain;
            defer<headless>(1, deleted, domain);
        }).join();
        domain.free_rcu_barrier();
        EXPECT_EQ(deleted, round * (2 * (block + 1) + 1));
    }
}

TEST(FreeRcuDomains, DoNotWaitForOneAnothersReaders) {
    std::atomic<int> deleted{0};
    rcu_domain one;
    rcu_domain other;
    const reader in_the_way(other);
    defer<headless>(1, deleted, one);
    one.free_rcu_barrier();
    EXPECT_FALSE(in_the_way.left());
    EXPECT_EQ(deleted, 1);
}

TEST(FreeRcuDomains, AThreadThatDeferredMayOutliveTheDomain) {
    std::atomic<int> deleted{0};
    std::latch deferred(1);
    std::latch destroyed(1);
    std::jthread producer;
    {
        rcu_domain domain;
        producer = std::jthread([&] {
            defer<headless>(1, deleted, domain);
            deferred.count_down();
            destroyed.wait();
        });
        deferred.wait();
        domain.free_rcu_barrier();
    }
    destroyed.count_down();
    producer.join();
    EXPECT_EQ(deleted, 1);
}

TEST(FreeRcuDomains, TheDefaultOneIsUsedWhenNoneIsNamed) {
    std::atomic<int> deleted{0};
    quiesce::free_rcu(new headless(deleted));
    quiesce::free_rcu(new headed(deleted));
    EXPECT_TRUE(quiesce::try_free_rcu(new headless(deleted)));
    quiesce::free_rcu_barrier();
    EXPECT_EQ(deleted, 3);
}

TEST(GracePeriodWaitFor, GivesUpWhileAReaderIsInTheWay) {
    rcu_domain domain;
    reader in_the_way(domain);
    const rcu_domain::cookie cookie = domain.start_poll();
    const auto start = steady_clock::now();
    EXPECT_FALSE(domain.wait_for(cookie, 10));
    EXPECT_GE(steady_clock::now() - start, 10ms);
    EXPECT_FALSE(domain.poll(cookie));
    // Also when it begins late in a millisecond of the clock.
    for (int i = 0; i != 20; ++i) {
        while (steady_clock::now().time_since_epoch() % 1ms < 800us) {
        }
        const auto late = steady_clock::now();
        EXPECT_FALSE(domain.wait_for(cookie, 2));
        EXPECT_GE(steady_clock::now() - late, 2ms);
    }
    in_the_way.leave();
    EXPECT_TRUE(domain.wait_for(cookie, 10'000));
    EXPECT_TRUE(domain.poll(cookie));
}

TEST(GracePeriodWaitFor, WithoutALimitWaitsForTheReader) {
    rcu_domain domain;
    reader in_the_way(domain);
    const std::jthread leaver = in_the_way.leave_after(10ms);
    EXPECT_TRUE(domain.wait_for(domain.start_poll(), 0));
    EXPECT_TRUE(in_the_way.left());
}

TEST(GracePeriodWaitFor, DoesNotGiveUpWhenAnEarlierGracePeriodEnds) {
    rcu_domain domain;
    domain.stop_driver();
    reader first(domain);
    (void)domain.start_poll();
    EXPECT_EQ(domain.advance_grace_period(), step_result::waiting_for_readers);
    reader second(domain);
    const rcu_domain::cookie cookie = domain.start_poll();
    const std::jthread leaver([&] {
        for (reader* const in_the_way : {&first, &second}) {
            std::this_thread::sleep_for(10ms);
            in_the_way->leave();
            (void)domain.advance_grace_period();
        }
    });
    EXPECT_TRUE(domain.wait_for(cookie, 10'000));
}

TEST(GracePeriodWaitFor, DoesNotGiveUpWhenAReaderLeavesASectionAndEntersTheNext) {
    rcu_domain domain;
    std::atomic<bool> stop{false};
    std::jthread in_the_way([&] {
        while (!stop) {
            const std::scoped_lock section(domain);
            std::this_thread::sleep_for(50us);  // long enough for the waiter to park
        }
    });
    for (int n = 0; n != 300; ++n) {
        EXPECT_TRUE(domain.wait_for(domain.start_poll(), 10'000));
    }
    stop = true;
}

}  // namespace
