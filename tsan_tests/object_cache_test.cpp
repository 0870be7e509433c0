// Object caches: what allocation, freeing and free_rcu do, and what a cache tells of itself.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <latch>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tsan_tests/cache_support.hpp"

namespace {

using namespace quiesce::tests;
using quiesce::cache_usage;
using quiesce::native_platform;
using quiesce::object_cache;
using quiesce::rcu_domain;

/// For what holds with a driver and in one thread.
template <class P>
class ObjectCacheIn : public CacheTestOf<P> {
protected:
    template <class T>
    static std::vector<T*> allocate(object_cache<T, P>& cache, std::size_t count) {
        std::vector<T*> objects(count);
        std::generate(objects.begin(), objects.end(), [&] { return cache.allocate(); });
        return objects;
    }
    template <class T>
    static void free_all(object_cache<T, P>& cache, const std::vector<T*>& objects) {
        for (T* const object : objects) {
            cache.free(object);
        }
    }
};

TYPED_TEST_SUITE(ObjectCacheIn, domain_kinds, domain_kind_name);
using ObjectCache = ObjectCacheIn<native_platform>;

template <std::size_t Size, std::size_t Alignment>
struct alignas(Alignment) bytes {
    unsigned char at[Size];
};
using kilobyte = bytes<1024, 8>;

template <class T>
class ObjectCacheOf : public ObjectCache {
protected:
    static constexpr std::size_t count = sizeof(T) < 4096 ? 5000 : 40;

    // Each object gets a pattern of its own, of the round.
    static void fill(const std::vector<T*>& objects, std::size_t round) {
        for (std::size_t i = 0; i != objects.size(); ++i) {
            std::memset(objects[i], static_cast<int>((i + round) % 251), sizeof(T));
        }
    }
    static void expect_filled(const std::vector<T*>& objects, std::size_t round) {
        for (std::size_t i = 0; i != objects.size(); ++i) {
            EXPECT_EQ(reinterpret_cast<std::uintptr_t>(objects[i]) % alignof(T), 0U);
            const auto* const first = reinterpret_cast<const unsigned char*>(objects[i]);
            EXPECT_EQ(std::count(first, first + sizeof(T), static_cast<unsigned char>((i + round) % 251)),
                      static_cast<std::ptrdiff_t>(sizeof(T)));
        }
    }
};

using sizes_and_alignments = testing::Types<bytes<1, 1>, bytes<3, 1>, bytes<24, 8>, bytes<100, 64>, bytes<100, 4096>,
                                            bytes<5000, 8>, bytes<8192, 4096>, bytes<20'000, 32'768>, bytes<32'700, 1>,
                                            bytes<65'000, 1>, bytes<65'472, 64>, bytes<65'536, 1>, bytes<102'400, 64>>;
TYPED_TEST_SUITE(ObjectCacheOf, sizes_and_alignments);

TYPED_TEST(ObjectCacheOf, ObjectsAreAlignedAndDoNotOverlap) {
    object_cache<TypeParam> cache({.name = "objects"}, this->domain);
    for (std::size_t round = 0; round != 3; ++round) {
        std::vector<TypeParam*> objects = this->allocate(cache, this->count);
        this->fill(objects, round);
        this->expect_filled(objects, round);
        // Half of them are exchanged for others.
        for (std::size_t i = 0; i < objects.size(); i += 2) {
            cache.free(objects[i]);
        }
        for (std::size_t i = 0; i < objects.size(); i += 2) {
            objects[i] = cache.allocate();
        }
        this->fill(objects, round + 1);
        this->expect_filled(objects, round + 1);
        EXPECT_EQ(cache.usage().in_use, this->count);
        this->free_all(cache, objects);
    }
    cache.shrink();
    EXPECT_EQ(cache.usage().slabs, 0U);
}

TYPED_TEST(ObjectCacheIn, ObjectsAreConstructedWithTheArgumentsOfAllocate) {
    struct pair {
        pair(std::unique_ptr<int> first, int& second) : owned(std::move(first)), seen(&second) {}
        std::unique_ptr<int> owned;
        int* seen;
    };
    object_cache<pair, TypeParam> cache({.name = "pairs"}, this->domain);
    int second = 2;
    pair* const object = cache.allocate(std::make_unique<int>(1), second);
    EXPECT_EQ(*object->owned, 1);
    EXPECT_EQ(object->seen, &second);
    cache.free(object);
}

TYPED_TEST(ObjectCacheIn, ObjectsAreConstructedAnewEveryTime) {
    object_cache<int, TypeParam> cache({.name = "numbers"}, this->domain);
    for (int i = 0; i != 1000; ++i) {
        int* const object = cache.allocate();
        EXPECT_EQ(*object, 0);
        *object = i + 1;
        cache.free(object);
    }
}

TYPED_TEST(ObjectCacheIn, FreeDestroysAnObjectAtOnce) {
    object_cache<headless, TypeParam> cache({.name = "objects"}, this->domain);
    for (int round = 1; round != 1000; ++round) {
        cache.free(cache.allocate(this->deleted));
        ASSERT_EQ(this->deleted, round);
    }
}

TEST_F(ObjectCache, FreeRcuDestroysAnObjectOnceAndAfterReaders) {
    object_cache<headless> cache({.name = "objects"}, domain);
    constexpr int count = 3 * block + 1;
    reader in_the_way(domain);
    for (int i = 0; i != count; ++i) {
        cache.free_rcu(cache.allocate(deleted));
    }
    domain.hurry();
    std::this_thread::sleep_for(20ms);
    EXPECT_EQ(deleted, 0);
    in_the_way.leave();
    domain.free_rcu_barrier();
    EXPECT_EQ(deleted, count);
    domain.free_rcu_barrier();
    cache.destroy().wait();
    EXPECT_EQ(deleted, count);
}

TYPED_TEST(ObjectCacheIn, FreeRcuNeedsNoFurtherCalls) {
    object_cache<headless, TypeParam> cache({.name = "objects"}, this->domain);
    cache.free_rcu(cache.allocate(this->deleted));
    EXPECT_TRUE(eventually(this->domain, [&] { return this->deleted == 1; }));
}

TYPED_TEST(ObjectCacheIn, TryFreeRcuMayBeCalledInASection) {
    object_cache<headless, TypeParam> cache({.name = "objects"}, this->domain);
    {
        const std::scoped_lock section(this->domain);
        for (int i = 0; i != 2 * block; ++i) {
            ASSERT_TRUE(cache.try_free_rcu(cache.allocate(this->deleted)));
        }
        EXPECT_EQ(this->deleted, 0);
    }
    this->domain.free_rcu_barrier();
    EXPECT_EQ(this->deleted, 2 * block);
}

TEST_F(ObjectCache, DestructorsRunInTheCallerOfFreeAndOnTheDriverAfterFreeRcu) {
    struct probe {
        explicit probe(std::thread::id& place) : where(&place) {}
        ~probe() { *where = std::this_thread::get_id(); }
        std::thread::id* where;
    };
    object_cache<probe> cache({.name = "probes"}, domain);
    std::thread::id freed;
    std::thread::id deferred;
    std::thread::id retired;
    cache.free(cache.allocate(freed));
    cache.free_rcu(cache.allocate(deferred));
    domain.free_rcu_barrier();
    quiesce::rcu_retire(
        &retired, [](std::thread::id* where) { *where = std::this_thread::get_id(); }, domain);
    domain.barrier();
    EXPECT_EQ(freed, std::this_thread::get_id());
    EXPECT_NE(deferred, std::this_thread::get_id());
    EXPECT_EQ(deferred, retired);
}

// A destructor that ran under a lock, or inside the thread's gate, would wait for itself.
TYPED_TEST(ObjectCacheIn, ADestructorMayUseItsCache) {
    struct parent;
    using parents = object_cache<parent, TypeParam>;
    struct parent {
        parent(parents& owner, std::atomic<int>& count, int more) : home(&owner), deleted(&count), depth(more) {}
        ~parent() {
            deleted->fetch_add(1);
            if (depth != 0) {
                parent* const freed = home->allocate(*home, *deleted, depth - 1);
                home->free_rcu(home->allocate(*home, *deleted, depth - 1));
                home->free(freed);
                EXPECT_GT(home->usage().slabs, 0U);
                home->shrink();
            }
        }
        parents* home;
        std::atomic<int>* deleted;
        int depth;
    };
    parents cache({.name = "parents"}, this->domain);
    cache.free(cache.allocate(cache, this->deleted, 3));
    cache.free_rcu(cache.allocate(cache, this->deleted, 3));
    constexpr int all = 2 * (1 + 2 + 4 + 8);
    EXPECT_TRUE(eventually(this->domain, [&] { return this->deleted == all; }));
    this->domain.free_rcu_barrier();
    EXPECT_EQ(cache.usage().in_use, 0U);
}

TYPED_TEST(ObjectCacheIn, AThrowingConstructorGivesTheMemoryBack) {
    struct thrower {
        thrower(bool throws, std::atomic<int>& count) : deleted(&count) {
            if (throws) {
                throw std::runtime_error("no object");
            }
        }
        ~thrower() { deleted->fetch_add(1); }
        std::atomic<int>* deleted;
    };
    object_cache<thrower, TypeParam> cache({.name = "throwers"}, this->domain);
    for (int i = 0; i != 10'000; ++i) {
        EXPECT_THROW((void)cache.allocate(true, this->deleted), std::runtime_error);
    }
    EXPECT_EQ(this->deleted, 0);
    EXPECT_EQ(cache.usage().in_use, 0U);
    EXPECT_EQ(cache.usage().slabs, 1U);
    cache.free(cache.allocate(false, this->deleted));
    EXPECT_EQ(this->deleted, 1);
}

TYPED_TEST(ObjectCacheIn, MemoryOfFreedObjectsIsReused) {
    object_cache<kilobyte, TypeParam> cache({.name = "kilobytes"}, this->domain);
    for (int i = 0; i != 1'000'000; ++i) {
        cache.free(cache.allocate());
    }
    EXPECT_EQ(cache.usage().slabs, 1U);
}

TYPED_TEST(ObjectCacheIn, MemoryOfObjectsGivenToFreeRcuIsReused) {
    object_cache<kilobyte, TypeParam> cache({.name = "kilobytes"}, this->domain);
    std::uint64_t most = 0;
    for (int round = 0; round != 50; ++round) {
        for (kilobyte* const object : this->allocate(cache, 500)) {
            cache.free_rcu(object);
        }
        this->domain.free_rcu_barrier();
        most = std::max(most, cache.usage().slabs);
    }
    EXPECT_LE(most, 2 * 500U / 60);  // the driver keeps some
}

TYPED_TEST(ObjectCacheIn, FewSlabsAreKeptOnceTheObjectsAreFreed) {
    object_cache<kilobyte, TypeParam> cache({.name = "kilobytes"}, this->domain);
    const std::vector<kilobyte*> objects = this->allocate(cache, 6000);
    EXPECT_GE(cache.usage().slabs, 6000U / 64);
    this->free_all(cache, objects);
    EXPECT_LE(cache.usage().slabs, 20U);
}

TYPED_TEST(ObjectCacheIn, ShrinkReleasesEverySlabThatHoldsNoObject) {
    object_cache<kilobyte, TypeParam> cache({.name = "kilobytes"}, this->domain);
    const std::vector<kilobyte*> objects = this->allocate(cache, 1000);
    this->free_all(cache, {objects.begin() + 1, objects.end()});
    cache.shrink();
    EXPECT_EQ(cache.usage().slabs, 1U);
    EXPECT_EQ(cache.usage().in_use, 1U);
    cache.free(objects[0]);
    cache.shrink();
    EXPECT_EQ(cache.usage().slabs, 0U);
    EXPECT_EQ(cache.usage().bytes, 0U);
}

TEST_F(ObjectCache, ShrinkTakesWhatIdleThreadsKeep) {
    object_cache<kilobyte> cache({.name = "kilobytes"}, domain);
    std::latch freed(1);
    std::latch leave(1);
    const std::jthread idle([&] {
        free_all(cache, allocate(cache, 200));
        freed.count_down();
        leave.wait();
    });
    freed.wait();
    EXPECT_GT(cache.usage().slabs, 0U);
    cache.shrink();
    EXPECT_EQ(cache.usage().slabs, 0U);
    leave.count_down();
}

TEST_F(ObjectCache, UsageTellsWhatIsOutAndInFlight) {
    object_cache<kilobyte> cache({.name = "kilobytes"}, domain);
    const std::vector<kilobyte*> objects = allocate(cache, 5);
    reader in_the_way(domain);
    cache.free_rcu(objects[0]);
    cache.free_rcu(objects[1]);
    cache.free(objects[2]);
    const cache_usage before = cache.usage();
    EXPECT_EQ(before.name, "kilobytes");
    EXPECT_FALSE(before.pending);
    EXPECT_EQ(before.in_use, 2U);
    EXPECT_EQ(before.in_flight, 2U);
    EXPECT_EQ(before.slabs, 1U);
    EXPECT_EQ(before.bytes, native_platform::limits().slab_bytes);
    in_the_way.leave();
    domain.free_rcu_barrier();
    EXPECT_EQ(cache.usage().in_use, 2U);
    EXPECT_EQ(cache.usage().in_flight, 0U);
    cache.free(objects[3]);
    cache.free(objects[4]);
    EXPECT_EQ(cache.usage().in_use, 0U);
}

TEST_F(ObjectCache, UsageIsRightWhicheverThreadsTookPart) {
    object_cache<kilobyte> cache({.name = "kilobytes"}, domain);
    for (int round = 0; round != 20; ++round) {
        std::vector<kilobyte*> objects;
        std::thread([&] { objects = allocate(cache, 100); }).join();
        reader in_the_way(domain);
        std::thread([&] {
            for (std::size_t i = 0; i != 40; ++i) {
                cache.free_rcu(objects[i]);
            }
        }).join();
        EXPECT_EQ(cache.usage().in_use, 60U);
        EXPECT_EQ(cache.usage().in_flight, 40U);
        in_the_way.leave();
        domain.free_rcu_barrier();
        EXPECT_EQ(cache.usage().in_use, 60U);
        EXPECT_EQ(cache.usage().in_flight, 0U);
        free_all(cache, {objects.begin() + 40, objects.end()});
        EXPECT_EQ(cache.usage().in_use, 0U);
    }
}

TEST_F(ObjectCache, ObjectsMayBeFreedByAnotherThread) {
    object_cache<kilobyte> cache({.name = "kilobytes"}, domain);
    std::array<std::atomic<kilobyte*>, 64> handed_over{};
    constexpr int count = 100'000;
    std::jthread consumer([&] {
        for (int i = 0; i != count; ++i) {
            std::atomic<kilobyte*>& place = handed_over[static_cast<std::size_t>(i) % handed_over.size()];
            place.wait(nullptr);
            cache.free(place.exchange(nullptr));
            place.notify_one();
        }
    });
    for (int i = 0; i != count; ++i) {
        std::atomic<kilobyte*>& place = handed_over[static_cast<std::size_t>(i) % handed_over.size()];
        for (kilobyte* before = place; before != nullptr; before = place) {
            place.wait(before);
        }
        place = cache.allocate();
        place.notify_one();
    }
    consumer.join();
    EXPECT_EQ(cache.usage().in_use, 0U);
    EXPECT_LE(cache.usage().slabs, 20U);
}

TEST_F(ObjectCache, WhatAThreadKeptIsThereForOthersWhenItHasExited) {
    object_cache<kilobyte> cache({.name = "kilobytes"}, domain);
    std::uint64_t most = 0;
    for (int round = 0; round != 50; ++round) {
        std::thread([&] { free_all(cache, allocate(cache, 200)); }).join();
        most = std::max(most, cache.usage().slabs);
    }
    EXPECT_LE(most, 8U);
    EXPECT_EQ(cache.usage().in_use, 0U);
    cache.shrink();
    EXPECT_EQ(cache.usage().slabs, 0U);
}

TYPED_TEST(ObjectCacheIn, AThreadMayUseManyCaches) {
    std::vector<std::unique_ptr<object_cache<headless, TypeParam>>> caches(100);
    int expected = 0;
    for (int round = 0; round != 3; ++round) {
        for (std::size_t i = 0; i != caches.size(); ++i) {
            if (caches[i] == nullptr) {
                caches[i] = std::make_unique<object_cache<headless, TypeParam>>(
                    quiesce::object_cache_options{.name = "cache " + std::to_string(i)}, this->domain);
            }
            for (int n = 0; n != 10; ++n) {
                caches[i]->free(caches[i]->allocate(this->deleted));
                caches[i]->free_rcu(caches[i]->allocate(this->deleted));
            }
            expected += 20;
        }
        // The gaps are filled in the next round.
        for (std::size_t i = 0; i < caches.size(); i += 3) {
            caches[i].reset();
        }
    }
    caches.clear();
    EXPECT_EQ(this->deleted, expected);
    EXPECT_TRUE(this->domain.caches().empty());
}

TYPED_TEST(ObjectCacheIn, ANameBelongsToOneCacheOfADomain) {
    quiesce::basic_rcu_domain<TypeParam> other;
    const object_cache<int, TypeParam> cache({.name = "numbers"}, this->domain);
    EXPECT_THROW((object_cache<int, TypeParam>({.name = "numbers"}, this->domain)), std::invalid_argument);
    EXPECT_EQ(this->domain.caches().size(), 1U);
    const object_cache<int, TypeParam> another({.name = "numbers 2"}, this->domain);
    const object_cache<int, TypeParam> elsewhere({.name = "numbers"}, other);
}

TYPED_TEST(ObjectCacheIn, ItsNameIsItsOwnCopy) {
    std::string name = "a name that is longer than what a string keeps inside";
    object_cache<int, TypeParam> cache({.name = name}, this->domain);
    const std::string given = std::exchange(name, std::string(name.size(), 'x'));
    EXPECT_EQ(cache.usage().name, given);
    EXPECT_TRUE(this->domain.cache_named(given).has_value());
}

TYPED_TEST(ObjectCacheIn, TheDomainListsItsCaches) {
    EXPECT_TRUE(this->domain.caches().empty());
    object_cache<int, TypeParam> numbers({.name = "numbers"}, this->domain);
    object_cache<kilobyte, TypeParam> kilobytes({.name = "kilobytes"}, this->domain);
    int* const number = numbers.allocate(1);
    EXPECT_EQ(this->domain.caches().size(), 2U);
    const std::optional<cache_usage> found = this->domain.cache_named("numbers");
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->name, "numbers");
    EXPECT_EQ(found->in_use, 1U);
    EXPECT_TRUE(this->domain.cache_named("kilobytes").has_value());
    EXPECT_FALSE(this->domain.cache_named("kilobyte").has_value());
    numbers.free(number);
}

TYPED_TEST(ObjectCacheIn, AnAlignmentThatIsNoneThrows) {
    for (const std::size_t alignment : {std::size_t{0}, std::size_t{3}, native_platform::limits().slab_bytes}) {
        quiesce::cache_options options;
        options.name = "raw";
        options.alignment = alignment;
        EXPECT_THROW(quiesce::basic_cache<TypeParam>(this->domain, options), std::invalid_argument) << alignment;
    }
    EXPECT_TRUE(this->domain.caches().empty());
}

// Objects change hands through places that all threads share. Each is filled with a number of its own, so that memory
// which two have at once is noticed.
TEST_F(ObjectCache, NothingIsLostOrSharedUnderStress) {
    struct numbered {
        explicit numbered(std::uint64_t n, std::atomic<int>& count) : deleted(&count) { std::ranges::fill(words, n); }
        ~numbered() {
            EXPECT_TRUE(whole());
            deleted->fetch_add(1);
        }
        bool whole() const { return std::ranges::count(words, words[0]) == std::ssize(words); }
        std::atomic<int>* deleted;
        std::array<std::uint64_t, 30> words{};
    };
    object_cache<numbered> cache({.name = "numbered"}, domain);
    const std::uint64_t seed = seed_of_this_run();
    std::array<std::atomic<numbered*>, 300> places{};
    std::atomic<int> allocated{0};
    const auto deadline = std::chrono::steady_clock::now() + stress_time;
    const auto exchange_objects = [&](std::uint64_t own_seed) {
        std::mt19937_64 random(own_seed);
        // Threads come and go.
        for (int n = 0; n != 20'000 && std::chrono::steady_clock::now() < deadline; ++n) {
            numbered* fresh = nullptr;
            if (random() % 2 == 0) {
                fresh = cache.allocate(random(), deleted);
                allocated.fetch_add(1);
            }
            numbered* const old = places[random() % places.size()].exchange(fresh);
            if (old == nullptr) {
                continue;
            }
            switch (random() % 5) {
                case 0: cache.free(old); break;
                case 1: cache.free_rcu(old); break;
                case 2:
                    if (const std::scoped_lock section(domain); !cache.try_free_rcu(old)) {
                        cache.free(old);
                    }
                    break;
                case 3: quiesce::cache_free(old); break;
                default: quiesce::cache_free_rcu(old); break;
            }
            if (random() % 4096 == 0) {
                cache.shrink();
            }
            if (random() % 4096 == 0) {
                EXPECT_LE(domain.caches().size(), 1U);
            }
        }
    };
    std::vector<std::jthread> threads;
    for (std::uint64_t i = 0; i != 3; ++i) {
        threads.emplace_back([&, i] {
            for (std::uint64_t n = 0; std::chrono::steady_clock::now() < deadline; ++n) {
                std::thread(exchange_objects, seed + 1000 * n + i).join();
            }
        });
    }
    threads.clear();
    for (std::atomic<numbered*>& place : places) {
        if (numbered* const left = place.load(); left != nullptr) {
            cache.free(left);
        }
    }
    domain.free_rcu_barrier();
    EXPECT_EQ(deleted, allocated);
    EXPECT_EQ(cache.usage().in_use, 0U);
    EXPECT_EQ(cache.usage().in_flight, 0U);
    cache.shrink();
    EXPECT_EQ(cache.usage().slabs, 0U);
}

TEST(ObjectCacheDeathTest, DestructorsOfStaticsMayStillUseACache) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_EXIT(
        {
            static object_cache<int>* cache;
            struct late {
                ~late() {
                    for (int i = 0; i != 1000; ++i) {
                        cache->free(cache->allocate(i));
                        cache->free_rcu(cache->allocate(i));
                    }
                    std::fputs("used at exit", stderr);
                }
            };
            static late l;
            // The default domain, and its handler for exit, are younger than `l`.
            cache = new object_cache<int>({.name = "numbers"});
            cache->free_rcu(cache->allocate(0));
            std::exit(0);
        },
        testing::ExitedWithCode(0), "used at exit");
}

TEST(ObjectCacheDeathTest, AStaticCacheIsDestroyedAtProcessExit) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_EXIT(
        {
            ::alarm(20);
            static object_cache<int> cache({.name = "numbers"});
            for (int i = 0; i != 1000; ++i) {
                cache.free_rcu(cache.allocate(i));
            }
            std::exit(0);
        },
        testing::ExitedWithCode(0), "");
}

// Its handle is older than the default domain, and therefore destroyed after the driver has stopped.
TEST(ObjectCacheDeathTest, ProcessExitDoesNotWaitForACacheWhenTheDriverHasStopped) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_EXIT(
        {
            ::alarm(5);
            static std::unique_ptr<object_cache<int>> cache;
            cache = std::make_unique<object_cache<int>>(quiesce::object_cache_options{.name = "numbers"});
            cache->free_rcu(cache->allocate(0));
            std::exit(0);
        },
        testing::ExitedWithCode(0), "");
}

}  // namespace
