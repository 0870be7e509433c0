// Staged caches and whoever waits for everything: flush_all of the first domain, and what barrier covers.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <thread>
#include <vector>

#include "tsan_tests/staged_cache_support.hpp"

namespace {

using namespace quiesce::tests;
using quiesce::misuse;
using quiesce::rcu_domain;
using quiesce::staged_cache;
using quiesce::staged_cache_options;
using quiesce::staged_cache_token;
using quiesce::staged_destroy;

class StagedFlush : public StagedCache {
protected:
    std::future<void> flush() {
        return std::async(std::launch::async, [this] { first.flush_all(); });
    }
    static bool is_waiting(const std::future<void>& flushed) {
        return flushed.wait_for(30ms) == std::future_status::timeout;
    }
};

TEST_F(StagedFlush, FlushAllReturnsWhenEveryObjectIsBackInItsSlab) {
    for (int round = 0; round != 200; ++round) {
        returned = 0;
        constexpr int each = 30;
        {
            std::vector<std::jthread> threads;
            for (int t = 0; t != 2; ++t) {
                threads.emplace_back([&] {
                    for (int i = 0; i != each; ++i) {
                        cache->free_rcu(allocate());
                    }
                });
            }
        }
        first.flush_all();
        ASSERT_EQ(returned, 2 * each);
        ASSERT_EQ(cache->usage().in_flight, 0U);
    }
}

TEST_F(StagedFlush, FlushAllWaitsForASurplusToo) {
    std::vector<node*> held;
    for (unsigned i = 0; i != 4 * high; ++i) {
        held.push_back(allocate());
    }
    reader in_the_way(tasks);
    for (node* const n : held) {
        cache->free(n);
    }
    const std::future<void> flushed = flush();
    EXPECT_TRUE(is_waiting(flushed));
    EXPECT_NE(cache->usage().in_flight, 0U);
    in_the_way.leave();
    flushed.wait();
    EXPECT_EQ(cache->usage().in_flight, 0U);
    EXPECT_EQ(cache->usage().in_use, 0U);
}

TEST_F(StagedFlush, FlushAllWaitsForReadersOfBothDomains) {
    for (rcu_domain* const domain : {&first, &tasks}) {
        returned = 0;
        reader in_the_way(*domain);
        cache->free_rcu(allocate());
        const std::future<void> flushed = flush();
        EXPECT_TRUE(is_waiting(flushed));
        EXPECT_EQ(returned, 0);
        in_the_way.leave();
        flushed.wait();
        EXPECT_EQ(returned, 1);
    }
}

TEST_F(StagedFlush, FlushAllOfTheSecondDomainWaitsForNoFirstStage) {
    reader in_the_way(first);
    cache->free_rcu(allocate());
    tasks.flush_all();
    EXPECT_EQ(returned, 0);
    in_the_way.leave();
    first.flush_all();
    EXPECT_EQ(returned, 1);
}

// What a destructor of one cache gives to another, and that one to a third.
TEST_F(StagedFlush, FlushAllFollowsWhatDestructorsLeadTo) {
    struct link {
        staged_cache* next;
        std::atomic<int>* passed;
        static void destruct(void* memory) {
            const link self = *static_cast<link*>(memory);
            self.passed->fetch_add(1);
            if (self.next != nullptr) {
                self.next->free_rcu(::new (self.next->allocate()) link{nullptr, self.passed});
            }
        }
    };
    staged_cache_options o = options();
    o.size = sizeof(link);
    o.alignment = alignof(link);
    o.destruct = &link::destruct;
    o.name = "last";
    staged_cache last(first, tasks, o);
    o.name = "next";
    staged_cache next(first, tasks, o);
    for (int round = 0; round != 50; ++round) {
        std::atomic<int> passed{0};
        next.free_rcu(::new (next.allocate()) link{&last, &passed});
        first.flush_all();
        ASSERT_EQ(passed, 2);
    }
}

TEST_F(StagedFlush, FlushAllWaitsForTheEndAndForTheFunctionThatIsCalledThen) {
    for (const staged_destroy how : {staged_destroy::order, staged_destroy::draining}) {
        make(how);
        returned = 0;
        int told = 0;
        reader in_the_way(tasks);
        cache->free_rcu(allocate());
        first.synchronize();
        first.barrier();
        const staged_cache_token end = cache->destroy();
        end.on_end(
            [](void* context) {
                std::this_thread::sleep_for(20ms);
                *static_cast<int*>(context) = 1;
            },
            &told);
        const std::future<void> flushed = flush();
        EXPECT_TRUE(is_waiting(flushed));
        in_the_way.leave();
        flushed.wait();
        EXPECT_TRUE(end.poll());
        EXPECT_EQ(told, 1);
        EXPECT_EQ(returned, 1);
        EXPECT_TRUE(first.caches().empty());
    }
}

TEST_F(StagedFlush, ABarrierAfterTheWaitForTheEndWaitsForTheFunction) {
    for (const staged_destroy how : {staged_destroy::order, staged_destroy::draining}) {
        make(how);
        int told = 0;
        reader in_the_way(first);
        cache->free_rcu(allocate());
        const staged_cache_token end = cache->destroy();
        end.on_end(
            [](void* context) {
                std::this_thread::sleep_for(20ms);
                *static_cast<int*>(context) = 1;
            },
            &told);
        in_the_way.leave();
        end.wait();
        first.barrier();
        EXPECT_EQ(told, 1);
    }
}

// A destroyer that drains takes objects from the lists, and returns them itself.
TEST_F(StagedFlush, FlushAllWaitsForADestroyerThatReturnsObjects) {
    struct slow {
        static void destruct(void* memory) {
            if (std::this_thread::get_id() == destroyer()) {
                reached().release();
                go_on().acquire();
            }
            node::destruct(memory);
        }
        static std::atomic<std::thread::id>& destroyer() {
            static std::atomic<std::thread::id> id;
            return id;
        }
        static std::binary_semaphore& reached() {
            static std::binary_semaphore s{0};
            return s;
        }
        static std::binary_semaphore& go_on() {
            static std::binary_semaphore s{0};
            return s;
        }
    };
    staged_cache_options o = options();
    o.name = "slow";
    o.destruct = &slow::destruct;
    staged_cache nodes(first, tasks, o);
    reader in_the_way(first);
    {
        const pinned here(0);
        for (int i = 0; i != 2; ++i) {
            nodes.free_rcu(::new (nodes.allocate()) node{&returned, 0});
        }
    }
    wait_for_refills();
    std::jthread destroyer([&] {
        slow::destroyer() = std::this_thread::get_id();
        (void)nodes.destroy();
        // Another thread may be given the same number.
        slow::destroyer() = std::thread::id();
    });
    slow::reached().acquire();
    in_the_way.leave();
    EXPECT_TRUE(eventually([&] { return returned == 1; }));
    const std::future<void> flushed = flush();
    EXPECT_TRUE(is_waiting(flushed));
    slow::go_on().release();
    flushed.wait();
    EXPECT_EQ(returned, 2);
    EXPECT_TRUE(nodes.destroy().poll());
}

TEST_F(StagedFlush, FlushAllWaitsForTasksOfTheWorker) {
    struct task : quiesce::rcu_head {
        int done = 0;
    } slow;
    first.run_on_worker(&slow, [](quiesce::rcu_head* h) {
        std::this_thread::sleep_for(20ms);
        static_cast<task*>(h)->done = 1;
    });
    first.flush_all();
    EXPECT_EQ(slow.done, 1);
}

TEST_F(StagedFlush, WhereTheSecondDomainMustNotBeWaitedForItIsReported) {
    {
        const std::scoped_lock section(tasks);
        first.flush_all();
    }
    struct task : quiesce::rcu_head {
        rcu_domain* domain = nullptr;
        static void run(quiesce::rcu_head* h) { static_cast<task*>(h)->domain->flush_all(); }
    } in_callback;
    in_callback.domain = &first;
    tasks.retire(&in_callback, &task::run);
    tasks.barrier();
    first.run_on_worker(&in_callback, &task::run);
    first.flush_all();
    const std::vector<kept_report> found = kept_reports::take();
    ASSERT_EQ(found.size(), 3U);
    EXPECT_STREQ(describe(found[0].kind), describe(misuse::barrier_in_section));
    EXPECT_STREQ(describe(found[1].kind), describe(misuse::barrier_in_callback));
    EXPECT_STREQ(describe(found[2].kind), describe(misuse::barrier_in_callback));
    for (const kept_report& r : found) {
        EXPECT_EQ(r.call, "flush_all");
    }
}

// A cache's second domain may go as soon as the cache has ended, whoever flushes the first meanwhile.
TEST_F(StagedFlush, SecondDomainsComeAndGoWhileOthersFlushAndList) {
    std::atomic<bool> over{false};
    std::jthread flusher([&] {
        while (!over) {
            (void)first.flush_round();
        }
    });
    std::jthread lister([&] {
        while (!over) {
            EXPECT_LE(first.caches().size(), 2U);
        }
    });
    for (int round = 0; round != 300; ++round) {
        rcu_domain short_lived;
        staged_cache_options o = options(round % 2 == 0 ? staged_destroy::order : staged_destroy::draining);
        o.name = "short";
        staged_cache nodes(first, short_lived, o);
        for (int i = 0; i != 1 + round % 7; ++i) {
            nodes.free_rcu(::new (nodes.allocate()) node{&returned, 0});
        }
        if (round % 3 == 0) {
            std::this_thread::sleep_for(std::chrono::microseconds(round));
        }
        nodes.destroy().wait();
    }
    over = true;
}

}  // namespace
