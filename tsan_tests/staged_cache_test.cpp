// Staged caches: what is reused when, what two grace periods hold back, and how a cache ends at every point in between.
#include "quiesce/staged_cache.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tsan_tests/cache_support.hpp"

namespace {

using namespace quiesce::tests;
using quiesce::misuse;
using quiesce::rcu_domain;
using quiesce::staged_cache;
using quiesce::staged_cache_options;
using quiesce::staged_cache_token;
using quiesce::staged_destroy;

constexpr unsigned low = quiesce::native_platform::limits().staged_low_watermark;
constexpr unsigned high = quiesce::native_platform::limits().staged_high_watermark;
constexpr unsigned shards = quiesce::native_platform::limits().shards;

/// What the objects of a cache come to, by those that allocated them.
struct node {
    std::atomic<int>* returned;
    std::uint64_t value;

    static void destruct(void* memory) {
        auto* const self = static_cast<node*>(memory);
        self->value = 0;
        self->returned->fetch_add(1);
    }
};

/// Keeps the calling thread on one processor, and so on one shard, where there are several.
class pinned {
public:
    explicit pinned(int which) {
        (void)::sched_getaffinity(0, sizeof(before_), &before_);
        cpu_set_t one;
        CPU_ZERO(&one);
        for (int cpu = 0; cpu != CPU_SETSIZE; ++cpu) {
            if (CPU_ISSET(cpu, &before_) && which-- == 0) {
                CPU_SET(cpu, &one);
                moved_ = ::sched_setaffinity(0, sizeof(one), &one) == 0;
                return;
            }
        }
    }
    pinned(const pinned&) = delete;
    pinned& operator=(const pinned&) = delete;
    ~pinned() { (void)::sched_setaffinity(0, sizeof(before_), &before_); }

    bool moved() const { return moved_; }
    unsigned shard() const { return quiesce::native_platform::this_shard() % shards; }

private:
    cpu_set_t before_;
    bool moved_ = false;
};

class StagedCache : public testing::Test {
protected:
    ~StagedCache() override {
        cache.reset();
        for (const kept_report& r : kept_reports::take()) {
            ADD_FAILURE() << r.call << ": " << describe(r.kind) << " (" << r.cache << ")";
        }
    }

    static staged_cache_options options(staged_destroy how = staged_destroy::draining) {
        staged_cache_options o;
        o.name = "nodes";
        o.size = sizeof(node);
        o.alignment = alignof(node);
        o.on_destroy = how;
        o.destruct = &node::destruct;
        return o;
    }

    void make(staged_destroy how) {
        cache.reset();
        cache.emplace(first, tasks, options(how));
    }

    node* allocate() {
        void* const memory = cache->allocate();
        return memory == nullptr ? nullptr : ::new (memory) node{&returned, 0x1234};
    }

    /// Until the callbacks of both stages that are queued have run.
    void wait_for_both_stages() {
        first.barrier();
        tasks.barrier();
    }

    static void expect_reported(misuse kind, std::string_view call) {
        const std::vector<kept_report> found = kept_reports::take();
        ASSERT_EQ(found.size(), 1U);
        EXPECT_STREQ(describe(found[0].kind), describe(kind));
        EXPECT_EQ(found[0].call, call);
        EXPECT_EQ(found[0].cache, "nodes");
    }

    std::atomic<int> returned{0};
    rcu_domain first;
    rcu_domain tasks;
    kept_reports reports;
    std::optional<staged_cache> cache{std::in_place, first, tasks, options()};
};

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
    EXPECT_TRUE(eventually([&] { return cache->usage().in_use == 0; }));
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
    EXPECT_TRUE(eventually([&] { return cache->usage().in_use == 0; }));
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
    EXPECT_TRUE(eventually([&] { return cache->usage().in_use == 0; }));
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
        EXPECT_GE(cache->usage().in_use, 2 * high);
        EXPECT_EQ(returned, static_cast<int>(4 * high)) << "destructed in free, not again later";
    }
    EXPECT_TRUE(eventually([&] { return cache->usage().in_use == 0; }));
    EXPECT_EQ(returned, static_cast<int>(4 * high));
}

TEST_F(StagedCache, AllocationWorksWhileTheWorkerIsKeptFromRefilling) {
    // The worker waits for this, as it would for another cache's end.
    reader in_the_way(tasks);
    staged_cache other(first, tasks, options(staged_destroy::order));
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
    staged_cache one(first, first, options());
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

// The end.

class StagedCacheEnd : public StagedCache, public testing::WithParamInterface<staged_destroy> {
protected:
    StagedCacheEnd() { make(GetParam()); }

    bool drains() const { return GetParam() == staged_destroy::draining; }
};

INSTANTIATE_TEST_SUITE_P(Protocols, StagedCacheEnd, testing::Values(staged_destroy::order, staged_destroy::draining),
                         [](const testing::TestParamInfo<staged_destroy>& how) {
                             return how.param == staged_destroy::order ? "order" : "draining";
                         });

TEST_P(StagedCacheEnd, ComesAtOnceWhenNothingIsInFlight) {
    cache->free(allocate());
    EXPECT_TRUE(eventually([&] { return cache->usage().available >= low; }));
    first.flush_all();
    EXPECT_TRUE(cache->destroy().wait_for(10'000));
    EXPECT_EQ(cache->usage().slabs, 0U);
}

TEST_P(StagedCacheEnd, ComesWhenNothingWasEverAllocated) {
    EXPECT_TRUE(cache->destroy().poll());
}

TEST_P(StagedCacheEnd, WaitsForACallbackOfTheFirstDomain) {
    // A reader that holds nothing of the cache.
    reader in_the_way(first);
    cache->free_rcu(allocate());
    const staged_cache_token end = cache->destroy();
    EXPECT_FALSE(end.wait_for(20));
    EXPECT_EQ(returned, 0) << "the callback has it";
    in_the_way.leave();
    end.wait();
    EXPECT_EQ(returned, 1);
}

TEST_P(StagedCacheEnd, WaitsForACallbackOfTheSecondDomain) {
    reader in_the_way(tasks);
    cache->free_rcu(allocate());
    first.synchronize();
    first.barrier();
    const staged_cache_token end = cache->destroy();
    EXPECT_FALSE(end.wait_for(20));
    EXPECT_EQ(returned, 0);
    in_the_way.leave();
    end.wait();
    EXPECT_EQ(returned, 1);
}

TEST_P(StagedCacheEnd, WaitsForTheSecondDomainOnlyWhereItDoesNotDrain) {
    reader in_first(first);
    cache->free_rcu(allocate());
    const staged_cache_token end = cache->destroy();
    // The object's callback in the first domain comes to its end when the second domain has a reader.
    reader in_tasks(tasks);
    in_first.leave();
    first.synchronize();
    first.barrier();
    EXPECT_EQ(returned == 1, drains());
    in_tasks.leave();
    end.wait();
    EXPECT_EQ(returned, 1);
}

TEST_P(StagedCacheEnd, ReturnsWhatIsOnEveryList) {
    reader in_first(first);
    reader in_tasks(tasks);
    // With both stages in progress, the next ones wait on the lists, behind them.
    constexpr int each = 10;
    for (int i = 0; i != each; ++i) {
        cache->free_rcu(allocate());
    }
    in_first.leave();
    first.synchronize();
    first.barrier();
    reader in_first_again(first);
    for (int i = 0; i != each; ++i) {
        cache->free_rcu(allocate());
        cache->free(allocate());
    }
    const staged_cache_token end = cache->destroy();
    EXPECT_FALSE(end.poll());
    in_tasks.leave();
    in_first_again.leave();
    end.wait();
    EXPECT_EQ(returned, 3 * each);
}

TEST_P(StagedCacheEnd, MayComeAtEveryPointInBetween) {
    for (int round = 0; round != 400; ++round) {
        make(GetParam());
        returned = 0;
        constexpr int count = 40;
        std::array<std::jthread, 2> threads;
        for (std::jthread& t : threads) {
            t = std::jthread([&] {
                for (int i = 0; i != count / 2; ++i) {
                    node* const n = allocate();
                    i % 3 == 0 ? cache->free(n) : cache->free_rcu(n);
                }
            });
        }
        for (std::jthread& t : threads) {
            t.join();
        }
        switch (round % 4) {
            case 1: first.synchronize(); break;
            case 2: first.barrier(); break;
            case 3: wait_for_both_stages(); break;
            default: break;
        }
        cache->destroy().wait();
        EXPECT_EQ(returned, count);
    }
}

TEST_P(StagedCacheEnd, WaitsForTheRefillThatWasAskedFor) {
    for (int round = 0; round != 300; ++round) {
        make(GetParam());
        std::vector<node*> held;
        for (unsigned i = 0; i != high + low; ++i) {
            held.push_back(allocate());
        }
        for (node* const n : held) {
            cache->free(n);
        }
        cache->destroy().wait();
    }
}

TEST_P(StagedCacheEnd, ComesInTheBackgroundAndCallsAFunctionOnce) {
    struct probe {
        std::atomic<int> calls{0};
        std::atomic<bool> elsewhere{false};
        std::thread::id destroyer = std::this_thread::get_id();
    } p;
    reader in_the_way(first);
    cache->free_rcu(allocate());
    const staged_cache_token end = cache->destroy();
    end.on_end(
        [](void* context) {
            auto* const self = static_cast<probe*>(context);
            self->elsewhere = std::this_thread::get_id() != self->destroyer;
            self->calls.fetch_add(1);
        },
        &p);
    EXPECT_EQ(p.calls, 0);
    in_the_way.leave();
    end.wait();
    EXPECT_TRUE(eventually([&] { return p.calls == 1; }));
    EXPECT_TRUE(p.elsewhere);
    end.on_end([](void* context) { static_cast<probe*>(context)->calls.fetch_add(1); }, &p);
    EXPECT_EQ(p.calls, 2) << "now, since it has come already";
}

TEST_P(StagedCacheEnd, TokensMayOutliveTheCacheAndItsDomains) {
    std::optional<staged_cache_token> end;
    {
        rcu_domain short_lived;
        rcu_domain long_lived;
        staged_cache nodes(short_lived, long_lived, options(GetParam()));
        nodes.free_rcu(::new (nodes.allocate()) node{&returned, 0});
        end = nodes.destroy();
        end->wait();
    }
    const std::optional<staged_cache_token> copy = end;
    end.reset();
    EXPECT_TRUE(copy->poll());
    EXPECT_TRUE(copy->wait_for(1));
    EXPECT_EQ(returned, 1);
}

TEST_P(StagedCacheEnd, TheHandleWaitsForItUnlessItMustNot) {
    reader in_the_way(first);
    cache->free_rcu(allocate());
    const std::jthread leaver = in_the_way.leave_after(20ms);
    cache.reset();
    EXPECT_TRUE(in_the_way.left());
    EXPECT_EQ(returned, 1);
    make(GetParam());
    cache->free_rcu(allocate());
    {
        const std::scoped_lock section(tasks);
        cache.reset();
    }
    EXPECT_TRUE(eventually([&] { return returned == 2; }));
    // The worker's task is behind it.
    make(GetParam());
    cache->free_rcu(allocate());
    cache->destroy().wait();
}

TEST_P(StagedCacheEnd, EndsWhenADomainsDriverIsStopped) {
    cache->free_rcu(allocate());
    const staged_cache_token end = cache->destroy();
    first.stop_driver();
    tasks.stop_driver();
    EXPECT_TRUE(end.wait_for(10'000));
    EXPECT_EQ(returned, 1);
}

TEST_P(StagedCacheEnd, ReportsWhatIsHeldOnceAndLeavesItMapped) {
    node* const held = allocate();
    cache->free_rcu(allocate());
    const staged_cache_token end = cache->destroy();
    end.wait();
    EXPECT_EQ(returned, 1);
    const std::vector<kept_report> found = kept_reports::take();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].kind, misuse::objects_held_at_destroy);
    EXPECT_EQ(found[0].objects, 1U);
    EXPECT_EQ(held->value, 0x1234U);
    held->value = 1;
    // So that it is not a leak to who looks for one.
    static node* still_reachable = nullptr;
    still_reachable = held;
    EXPECT_NE(still_reachable, nullptr);
}

TEST_P(StagedCacheEnd, ASecondCallReturnsTheSameEnd) {
    reader in_the_way(first);
    cache->free_rcu(allocate());
    const staged_cache_token end = cache->destroy();
    const staged_cache_token again = cache->destroy();
    EXPECT_FALSE(again.poll());
    in_the_way.leave();
    end.wait();
    EXPECT_TRUE(again.poll());
}

TEST_P(StagedCacheEnd, UseAfterItIsReportedAndDoesNothing) {
    node* const object = allocate();
    cache->free(object);
    cache->destroy().wait();
    EXPECT_EQ(cache->allocate(), nullptr);
    expect_reported(misuse::allocate_after_destroy, "allocate");
    cache->free(object);
    expect_reported(misuse::free_after_destroy, "free");
    cache->free_rcu(object);
    expect_reported(misuse::free_after_destroy, "free_rcu");
}

TEST_P(StagedCacheEnd, WaitingForItInASectionIsReported) {
    reader in_the_way(first);
    cache->free_rcu(allocate());
    const staged_cache_token end = cache->destroy();
    {
        const std::scoped_lock section(tasks);
        end.wait();
        expect_reported(misuse::destroy_in_section, "staged_token::wait");
        EXPECT_FALSE(end.wait_for(1));
        expect_reported(misuse::destroy_in_section, "staged_token::wait_for");
    }
    in_the_way.leave();
    end.wait();
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
    staged_cache other(first, tasks, options());
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
