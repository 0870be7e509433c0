// Type-stable caches: objects keep their type and their state when they are freed, and outlive the readers of a slab.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "tsan_tests/cache_support.hpp"

namespace {

using namespace quiesce::tests;
using quiesce::cache_free;
using quiesce::cache_token;
using quiesce::destroy_strategy;
using quiesce::type_stable_cache;

/// Counts the objects there are.
struct counted {
    counted() {
        constructed.fetch_add(1);
        EXPECT_EQ(alive.exchange(true), false);
    }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
    ~counted() {
        EXPECT_EQ(alive.exchange(false), true);
        destroyed_by = std::this_thread::get_id();
        destroyed.fetch_add(1);
    }
    std::atomic<bool> alive{false};
    std::mutex lock;
    int uses = 0;  // under the lock
    int key = -1;  // under the lock

    static inline std::atomic<int> constructed;
    static inline std::atomic<int> destroyed;
    static inline std::atomic<std::thread::id> destroyed_by;
};

template <class P>
class TypeStableCacheIn : public CacheTestOf<P> {
protected:
    TypeStableCacheIn() {
        counted::constructed = 0;
        counted::destroyed = 0;
    }
    ~TypeStableCacheIn() override {
        EXPECT_TRUE(eventually(this->domain, [this] { return this->domain.caches().empty(); }));
        EXPECT_EQ(counted::destroyed, counted::constructed);
    }
};

TYPED_TEST_SUITE(TypeStableCacheIn, domain_kinds, domain_kind_name);
using TypeStableCache = TypeStableCacheIn<quiesce::native_platform>;

TYPED_TEST(TypeStableCacheIn, ObjectsAreConstructedOnceForEachSlab) {
    type_stable_cache<counted, TypeParam> cache({.name = "counted"}, this->domain);
    cache.free(cache.allocate());
    const int of_a_slab = counted::constructed;
    EXPECT_GT(of_a_slab, 100);
    for (int i = 0; i != 10'000; ++i) {
        cache.free(cache.allocate());
        cache.free_rcu(cache.allocate());
        if (i % 100 == 0) {
            this->domain.free_rcu_barrier();
        }
    }
    this->domain.free_rcu_barrier();
    EXPECT_EQ(counted::constructed, of_a_slab * static_cast<int>(cache.usage().slabs));
    EXPECT_EQ(counted::destroyed, 0);
}

TYPED_TEST(TypeStableCacheIn, AnObjectStaysAsItWasLeft) {
    type_stable_cache<counted, TypeParam> cache({.name = "counted"}, this->domain);
    const counted* const first = cache.allocate();
    cache.free(const_cast<counted*>(first));
    for (int i = 0; i != 1000; ++i) {
        counted* const object = cache.allocate();
        ASSERT_EQ(object, first);  // the last that was freed is the next that is allocated
        EXPECT_EQ(object->uses, i);
        ++object->uses;
        cache.free(object);
    }
}

TEST_F(TypeStableCache, AReaderMayLockAnObjectThatHasBeenFreed) {
    type_stable_cache<counted> cache({.name = "counted"}, domain);
    counted* const freed = cache.allocate();
    counted* const deferred = cache.allocate();
    const std::scoped_lock section(domain);
    cache.free(freed);
    ASSERT_TRUE(cache.try_free_rcu(deferred));
    std::thread([&] { cache.shrink(); }).join();
    for (counted* const object : {freed, deferred}) {
        const std::scoped_lock hold(object->lock);
        EXPECT_TRUE(object->alive);
    }
}

TEST_F(TypeStableCache, ObjectsAreDestroyedOnTheDriverAGracePeriodAfterTheirSlabIsGivenUp) {
    type_stable_cache<counted> cache({.name = "counted"}, domain);
    counted* const object = cache.allocate();
    reader in_the_way(domain);
    cache.free(object);
    cache.shrink();
    EXPECT_EQ(cache.usage().slabs, 0U);
    std::this_thread::sleep_for(20ms);
    EXPECT_EQ(counted::destroyed, 0);
    EXPECT_TRUE(object->alive);
    in_the_way.leave();
    domain.barrier();
    EXPECT_EQ(counted::destroyed, counted::constructed);
    EXPECT_NE(counted::destroyed_by.load(), std::this_thread::get_id());
    // The cache is as good as before.
    cache.free(cache.allocate());
}

TEST_F(TypeStableCache, SlabsThatAreTooManyAreGivenUpAfterAGracePeriodToo) {
    type_stable_cache<counted> cache({.name = "counted"}, domain);
    reader in_the_way(domain);
    std::vector<counted*> objects;
    while (cache.usage().slabs != 20) {
        objects.push_back(cache.allocate());
    }
    for (counted* const object : objects) {
        cache.free(object);
    }
    EXPECT_LT(cache.usage().slabs, 10U);
    EXPECT_EQ(counted::destroyed, 0);
    in_the_way.leave();
    EXPECT_TRUE(eventually([] { return counted::destroyed != 0; }));
}

TEST_F(TypeStableCache, DestroyWaitsForReadersThatMayHaveFoundAnObject) {
    for (const destroy_strategy strategy :
         {destroy_strategy::wait, destroy_strategy::async, destroy_strategy::last_free}) {
        type_stable_cache<counted> cache({.name = "counted", .on_destroy = strategy}, domain);
        const int destroyed_before = counted::destroyed;
        reader in_the_way(domain);
        cache.free(cache.allocate());
        const std::jthread leaver = in_the_way.leave_after(20ms);
        const cache_token end = cache.destroy();
        EXPECT_EQ(in_the_way.left(), strategy == destroy_strategy::wait);
        EXPECT_EQ(in_the_way.left() || counted::destroyed == destroyed_before, true);
        end.wait();
        EXPECT_TRUE(in_the_way.left());
        EXPECT_EQ(counted::destroyed, counted::constructed);
    }
}

// Which of the two the driver finds first depends on the CPUs where slabs were given up and the cache was destroyed.
TEST_F(TypeStableCache, TheEndWaitsForSlabsThatWereGivenUpBefore) {
    for (int round = 0; round != 300; ++round) {
        type_stable_cache<counted> cache({.name = "counted", .on_destroy = destroy_strategy::last_free}, domain);
        std::thread([&] {
            cache.free(cache.allocate());
            cache.shrink();
        }).join();
        cache.destroy().wait();
        ASSERT_EQ(counted::destroyed, counted::constructed);
    }
}

TEST_F(TypeStableCache, AnObjectHeldAtDestroyIsStillThere) {
    type_stable_cache<counted> cache({.name = "counted", .on_destroy = destroy_strategy::last_free}, domain);
    counted* const held = cache.allocate();
    const cache_token end = cache.destroy();
    domain.barrier();
    EXPECT_TRUE(held->alive);
    EXPECT_EQ(counted::destroyed, 0);
    cache_free(held);
    end.wait();
    EXPECT_EQ(counted::destroyed, counted::constructed);
}

// A table whose places are emptied and filled again, at times all at once, so that slabs are given up. A reader locks
// what it finds; while it holds the lock, the object is the one it wanted or another one, but an object.
TEST_F(TypeStableCache, AReaderLocksWhatItFindsAndChecksThatItIsTheOne) {
    type_stable_cache<counted> cache({.name = "counted"}, domain);
    const std::uint64_t seed = seed_of_this_run();
    std::array<std::atomic<counted*>, 64> table{};
    std::atomic<bool> stop{false};
    std::atomic<int> found{0};
    std::atomic<int> bad{0};
    std::vector<std::jthread> readers;
    for (std::uint64_t i = 0; i != 2; ++i) {
        readers.emplace_back([&, i] {
            std::mt19937_64 random(seed + i);
            while (!stop) {
                const std::size_t key = random() % table.size();
                const std::scoped_lock section(domain);
                counted* const object = table[key].load(std::memory_order_acquire);
                if (object == nullptr) {
                    continue;
                }
                if (random() % 16 == 0) {
                    std::this_thread::yield();  // it may be another's now
                }
                const std::scoped_lock hold(object->lock);
                bad += object->alive ? 0 : 1;
                if (object->key == static_cast<int>(key)) {
                    found.fetch_add(1, std::memory_order_relaxed);
                    // It is in the table as long as the lock is held.
                    bad += table[key].load(std::memory_order_relaxed) == object ? 0 : 1;
                }
            }
        });
    }
    const auto put = [&](std::size_t key) {
        counted* const fresh = cache.allocate();
        const std::scoped_lock hold(fresh->lock);
        fresh->key = static_cast<int>(key);
        table[key].store(fresh, std::memory_order_release);
    };
    const auto remove = [&](std::size_t key, bool deferred) {
        counted* const old = table[key].load(std::memory_order_relaxed);
        if (old == nullptr) {
            return;
        }
        {
            const std::scoped_lock hold(old->lock);
            old->key = -1;
            table[key].store(nullptr, std::memory_order_relaxed);
        }
        deferred ? cache.free_rcu(old) : cache.free(old);
    };
    std::mt19937_64 random(seed + 7);
    const auto deadline = std::chrono::steady_clock::now() + stress_time;
    for (int n = 0; std::chrono::steady_clock::now() < deadline; ++n) {
        const std::size_t key = random() % table.size();
        remove(key, random() % 4 == 0);
        put(key);
        if (n % 512 == 0) {
            for (std::size_t k = 0; k != table.size(); ++k) {
                remove(k, k % 4 == 0);
            }
            cache.shrink();
        }
    }
    for (std::size_t key = 0; key != table.size(); ++key) {
        remove(key, false);
    }
    stop = true;
    readers.clear();
    EXPECT_EQ(bad, 0);
    EXPECT_GT(found, 0);
    cache.destroy().wait();
    EXPECT_EQ(counted::destroyed, counted::constructed);
}

}  // namespace
