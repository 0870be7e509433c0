// Staged caches: what is reused when, and what the two grace periods hold back.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <new>
#include <stdexcept>
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

TEST_F(StagedCache, WhatIsFreedIsHandedOutAgainAtOnce) {
    const pinned here(0);
    reader in_first(first);
    reader in_tasks(tasks);
    node* const freed = allocate();
    cache->free(freed);
    EXPECT_EQ(returned, 1);
    EXPECT_EQ(allocate(), freed);
    cache->free(freed);
}

TEST_F(StagedCache, ObjectsAreAlignedAndApart) {
    for (const std::size_t alignment : {1U, 8U, 64U, 4096U}) {
        for (const std::size_t size : {std::size_t{1}, std::size_t{24}, std::size_t{4000}, std::size_t{200'000}}) {
            staged_cache_options o;
            o.name = "blocks";
            o.size = size;
            o.alignment = alignment;
            staged_cache blocks(first, tasks, o);
            std::vector<char*> held;
            for (int i = 0; i != 20; ++i) {
                held.push_back(static_cast<char*>(blocks.allocate()));
                ASSERT_NE(held.back(), nullptr);
                EXPECT_EQ(reinterpret_cast<std::uintptr_t>(held.back()) % alignment, 0U);
                std::fill_n(held.back(), size, static_cast<char>(i));
            }
            for (int i = 0; i != 20; ++i) {
                char* const block = held[static_cast<std::size_t>(i)];
                EXPECT_EQ(std::count(block, block + size, static_cast<char>(i)), static_cast<std::ptrdiff_t>(size));
                i % 2 == 0 ? blocks.free(block) : blocks.free_rcu(block);
            }
        }
    }
}

TEST_F(StagedCache, WhatIsGivenToFreeRcuIsReturnedAfterBothGracePeriods) {
    cache->free_rcu(allocate());
    EXPECT_TRUE(eventually([&] { return returned == 1; }));
    EXPECT_TRUE(eventually([&] { return cache->usage().in_flight == 0; }));
}

TEST_F(StagedCache, AReaderOfTheFirstDomainHoldsAnObjectBack) {
    reader in_the_way(first);
    node* const freed = allocate();
    cache->free_rcu(freed);
    tasks.synchronize();
    std::this_thread::sleep_for(20ms);
    EXPECT_EQ(returned, 0);
    EXPECT_EQ(freed->value, 0x1234U);
    in_the_way.leave();
    EXPECT_TRUE(eventually([&] { return returned == 1; }));
}

TEST_F(StagedCache, AReaderOfTheSecondDomainHoldsAnObjectBack) {
    reader in_the_way(tasks);
    node* const freed = allocate();
    cache->free_rcu(freed);
    first.synchronize();
    first.barrier();
    std::this_thread::sleep_for(20ms);
    EXPECT_EQ(returned, 0);
    EXPECT_EQ(freed->value, 0x1234U);
    in_the_way.leave();
    EXPECT_TRUE(eventually([&] { return returned == 1; }));
}

TEST_F(StagedCache, TheSecondGracePeriodBeginsAfterTheFirst) {
    reader in_first(first);
    cache->free_rcu(allocate());
    // It begins now, when the object waits for the first domain, and so is none of the object's.
    const rcu_domain::cookie early = tasks.start_poll();
    tasks.wait(early);
    reader in_tasks(tasks);
    in_first.leave();
    first.synchronize();
    first.barrier();
    std::this_thread::sleep_for(20ms);
    EXPECT_EQ(returned, 0);
    in_tasks.leave();
    EXPECT_TRUE(eventually([&] { return returned == 1; }));
}

TEST_F(StagedCache, WhatIsOnItsWayIsNotHandedOut) {
    const pinned here(0);
    reader in_the_way(tasks);
    std::vector<node*> deferred;
    for (unsigned i = 0; i != 3 * high; ++i) {
        deferred.push_back(allocate());
    }
    for (node* const n : deferred) {
        cache->free_rcu(n);
    }
    first.barrier();
    std::sort(deferred.begin(), deferred.end());
    std::vector<node*> held;
    for (unsigned i = 0; i != 3 * high; ++i) {
        held.push_back(allocate());
        EXPECT_FALSE(std::binary_search(deferred.begin(), deferred.end(), held.back()));
    }
    EXPECT_EQ(returned, 0);
    in_the_way.leave();
    EXPECT_TRUE(eventually([&] { return returned == static_cast<int>(3 * high); }));
    for (node* const n : held) {
        cache->free(n);
    }
}

TEST_F(StagedCache, NothingIsStrandedWhenManyBatchesMeet) {
    constexpr int each = 20'000;
    std::vector<std::jthread> threads;
    for (int t = 0; t != 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i != each; ++i) {
                node* const n = allocate();
                ASSERT_NE(n, nullptr);
                n->value = static_cast<std::uint64_t>(i);
                i % 4 == 0 ? cache->free(n) : cache->free_rcu(n);
            }
        });
    }
    threads.clear();
    EXPECT_TRUE(eventually([&] { return returned == 4 * each; }));
    EXPECT_TRUE(eventually([&] { return cache->usage().in_flight == 0; }));
}

TEST_F(StagedCache, AnObjectFreedOnAnotherShardGoesBackToItsOwn) {
    node* n = nullptr;
    unsigned home = 0;
    {
        const pinned here(0);
        n = allocate();
        home = here.shard();
    }
    const pinned there(1);
    if (!there.moved() || there.shard() == home) {
        cache->free(n);
        GTEST_SKIP() << "there is one processor only";
    }
    reader in_the_way(tasks);
    cache->free_rcu(n);
    first.synchronize();
    first.barrier();
    in_the_way.leave();
    EXPECT_TRUE(eventually([&] { return returned == 1; }));
    EXPECT_TRUE(eventually([&] { return cache->usage().in_flight == 0; }));
    // The object's slab is the only one that was ever needed for it here: nothing moved in on this shard.
    EXPECT_TRUE(eventually([&] { return cache->usage().available == (low + high) / 2; }));
    EXPECT_EQ(cache->usage().slabs, 1U);
}

TEST_F(StagedCache, ARefillBringsAShardToTheMiddleBetweenItsWatermarks) {
    const pinned here(0);
    node* const n = allocate();
    EXPECT_TRUE(eventually([&] { return cache->usage().available == (low + high) / 2; }));
    // Down to the low one nothing is asked for, below it the next is.
    std::vector<node*> held;
    while (cache->usage().available > low) {
        held.push_back(allocate());
    }
    std::this_thread::sleep_for(5ms);
    EXPECT_EQ(cache->usage().available, low);
    held.push_back(allocate());
    EXPECT_TRUE(eventually([&] { return cache->usage().available == (low + high) / 2; }));
    held.push_back(n);
    for (node* const h : held) {
        cache->free(h);
    }
}

TEST_F(StagedCache, ASurplusGoesThroughTheSecondStageAlone) {
    const pinned here(0);
    std::vector<node*> held;
    for (unsigned i = 0; i != 4 * high; ++i) {
        held.push_back(allocate());
    }
    reader in_first(first);
    {
        reader in_tasks(tasks);
        for (node* const n : held) {
            cache->free(n);
        }
        EXPECT_TRUE(eventually([&] { return cache->usage().available <= high; }));
        EXPECT_GE(cache->usage().available, low);
        // The rest is on its way.
        EXPECT_GE(cache->usage().in_flight, 2 * high);
        EXPECT_EQ(returned, static_cast<int>(4 * high)) << "destructed in free, not again later";
    }
    EXPECT_TRUE(eventually([&] { return cache->usage().in_flight == 0; }));
    EXPECT_EQ(returned, static_cast<int>(4 * high));
}

TEST_F(StagedCache, AllocationWorksWhileTheWorkerIsKeptFromRefilling) {
    // The worker waits for this, as it would for another cache's end.
    reader in_the_way(tasks);
    staged_cache other(first, tasks, options(staged_destroy::order, "others"));
    other.free_rcu(::new (other.allocate()) node{&returned, 0});
    first.synchronize();
    first.barrier();
    const staged_cache_token end = other.destroy();
    EXPECT_FALSE(end.poll());
    std::vector<node*> held;
    for (unsigned i = 0; i != 10 * high; ++i) {
        held.push_back(allocate());
        ASSERT_NE(held.back(), nullptr);
    }
    for (node* const n : held) {
        cache->free(n);
    }
    in_the_way.leave();
    end.wait();
}

TEST_F(StagedCache, AnAlignmentThatIsNoneIsRefused) {
    for (const std::size_t alignment : {std::size_t{0}, std::size_t{3}, std::size_t{1} << 20U}) {
        staged_cache_options o = options();
        o.alignment = alignment;
        EXPECT_THROW(staged_cache(first, tasks, o), std::invalid_argument);
    }
}

TEST_F(StagedCache, BothStagesMayBeOneDomain) {
    staged_cache one(first, first, options(staged_destroy::draining, "one"));
    one.free_rcu(::new (one.allocate()) node{&returned, 0});
    EXPECT_TRUE(eventually([&] { return returned == 1; }));
    one.destroy().wait();
}

TEST_F(StagedCache, FreeRcuMayBeCalledInSectionsAndInCallbacks) {
    struct task : quiesce::rcu_head {
        staged_cache* home = nullptr;
        node* object = nullptr;
        static void run(quiesce::basic_rcu_head<quiesce::native_platform>* h) {
            auto* const self = static_cast<task*>(h);
            self->home->free_rcu(self->object);
        }
    } t;
    t.home = &*cache;
    t.object = allocate();
    {
        const std::scoped_lock sections(first, tasks);
        cache->free_rcu(allocate());
    }
    first.retire(&t, &task::run);
    EXPECT_TRUE(eventually([&] { return returned == 2; }));
}

#if QUIESCE_CHECKED  // What only checked builds notice.

TEST_F(StagedCache, ASecondFreeIsReportedAndDoesNothing) {
    const pinned here(0);
    node* const object = allocate();
    cache->free(object);
    cache->free(object);
    expect_reported(misuse::double_free, "free");
    cache->free_rcu(object);
    expect_reported(misuse::double_free, "free_rcu");
    node* const deferred = allocate();
    reader in_the_way(first);
    cache->free_rcu(deferred);
    cache->free_rcu(deferred);
    expect_reported(misuse::double_free, "free_rcu");
    cache->free(deferred);
    expect_reported(misuse::double_free, "free");
    in_the_way.leave();
    EXPECT_TRUE(eventually([&] { return returned == 2; }));
}

TEST_F(StagedCache, FreeingAnObjectOfAnotherCacheIsReportedAndDoesNothing) {
    staged_cache other(first, tasks, options(staged_destroy::draining, "others"));
    node* const theirs = ::new (other.allocate()) node{&returned, 0};
    cache->free(theirs);
    expect_reported(misuse::free_into_wrong_cache, "free");
    cache->free_rcu(theirs);
    expect_reported(misuse::free_into_wrong_cache, "free_rcu");
    other.free(theirs);
}

#endif

// Threads that allocate, free and read in both domains, and a cache that is destroyed and made again under way.
TEST(StagedCacheStress, ReadersNeverFindAnObjectThatWasReturned) {
    const std::uint64_t seed = seed_of_this_run();
    for (const staged_destroy how : {staged_destroy::order, staged_destroy::draining}) {
        rcu_domain first;
        rcu_domain tasks;
        std::atomic<int> returned{0};
        std::uint64_t state = seed | 1U;
        const auto deadline = std::chrono::steady_clock::now() + stress_time;
        while (std::chrono::steady_clock::now() < deadline) {
            staged_cache_options o;
            o.name = "nodes";
            o.size = sizeof(node);
            o.alignment = alignof(node);
            o.on_destroy = how;
            o.destruct = &node::destruct;
            staged_cache nodes(first, tasks, o);
            std::atomic<node*> current{nullptr};
            {
                std::atomic<bool> stop{false};
                std::vector<std::jthread> readers;
                for (rcu_domain* const domain : {&first, &tasks}) {
                    readers.emplace_back([&, domain] {
                        while (!stop) {
                            const std::scoped_lock section(*domain);
                            if (node* const n = current.load(std::memory_order_acquire); n != nullptr) {
                                EXPECT_EQ(n->value, 0x1234U);
                            }
                        }
                    });
                }
                state = state * 6364136223846793005U + 1442695040888963407U;
                for (unsigned i = 0; i != (state >> 33U) % 2000; ++i) {
                    node* const fresh = ::new (nodes.allocate()) node{&returned, 0x1234};
                    if (node* const old = current.exchange(fresh, std::memory_order_acq_rel); old != nullptr) {
                        nodes.free_rcu(old);
                    }
                }
                stop = true;
            }
            if (node* const last = current.load(); last != nullptr) {
                nodes.free_rcu(last);
            }
            nodes.destroy().wait();
        }
    }
}

}  // namespace
