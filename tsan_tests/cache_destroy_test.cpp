// Destroying a cache: by each strategy, with nothing out, with objects in flight and with objects held.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <barrier>
#include <cstdint>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tsan_tests/cache_support.hpp"

namespace {

using namespace quiesce::tests;
using quiesce::cache_free;
using quiesce::cache_free_rcu;
using quiesce::cache_token;
using quiesce::cache_usage;
using quiesce::destroy_strategy;
using quiesce::object_cache;

/// For what holds with a driver and in one thread.
template <class How>
class CacheDestroyBy : public CacheTestOf<typename How::platform> {
protected:
    using platform = typename How::platform;
    using cache_of_headless = object_cache<headless, platform>;
    using cache_token = quiesce::basic_cache_token<platform>;

    static constexpr bool waits() { return How::strategy == destroy_strategy::wait; }

    std::unique_ptr<cache_of_headless> make_cache() {
        return std::make_unique<cache_of_headless>(
            quiesce::object_cache_options{.name = "objects", .on_destroy = How::strategy}, this->domain);
    }

    void expect_held(std::uint64_t objects) { quiesce::tests::expect_held(this->domain, How::strategy, objects); }
};

template <class P, destroy_strategy Strategy>
struct by {
    using platform = P;
    static constexpr destroy_strategy strategy = Strategy;
};
using one_thread = quiesce::native_single_thread_platform;
using strategies_and_kinds =
    testing::Types<by<quiesce::native_platform, destroy_strategy::wait>,
                   by<quiesce::native_platform, destroy_strategy::async>,
                   by<quiesce::native_platform, destroy_strategy::last_free>, by<one_thread, destroy_strategy::wait>,
                   by<one_thread, destroy_strategy::async>, by<one_thread, destroy_strategy::last_free>>;
struct strategy_and_kind_name {
    template <class How>
    static std::string GetName(int i) {
        return strategy_names[static_cast<std::size_t>(How::strategy)] +
               domain_kind_name::template GetName<typename How::platform>(i);
    }
};
TYPED_TEST_SUITE(CacheDestroyBy, strategies_and_kinds, strategy_and_kind_name);

class CacheDestroy : public CacheTest, public testing::WithParamInterface<destroy_strategy> {
protected:
    using cache_of_headless = object_cache<headless>;

    static bool waits() { return GetParam() == destroy_strategy::wait; }

    std::unique_ptr<cache_of_headless> make_cache() {
        return std::make_unique<cache_of_headless>(
            quiesce::object_cache_options{.name = "objects", .on_destroy = GetParam()}, domain);
    }

    void expect_held(std::uint64_t objects) { quiesce::tests::expect_held(domain, GetParam(), objects); }
};

INSTANTIATE_TEST_SUITE_P(Strategies, CacheDestroy,
                         testing::Values(destroy_strategy::wait, destroy_strategy::async, destroy_strategy::last_free),
                         name_of);

TYPED_TEST(CacheDestroyBy, EndsWhenNothingIsOut) {
    const auto cache = this->make_cache();
    cache->free(cache->allocate(this->deleted));
    const typename TestFixture::cache_token end = cache->destroy();
    EXPECT_TRUE(end.poll() || !this->waits());
    end.wait();
    EXPECT_TRUE(end.poll());
    EXPECT_TRUE(this->domain.caches().empty());
    EXPECT_EQ(cache->usage().slabs, 0U);
}

TYPED_TEST(CacheDestroyBy, EndsWhenNothingWasEverAllocated) {
    this->make_cache()->destroy().wait();
    EXPECT_TRUE(this->domain.caches().empty());
}

TEST_P(CacheDestroy, EndsWhenWhatIsInFlightIsFreed) {
    constexpr int count = 2 * block + 1;
    const auto cache = make_cache();
    reader in_the_way(domain);
    for (int i = 0; i != count; ++i) {
        cache->free_rcu(cache->allocate(deleted));
    }
    const std::jthread leaver = in_the_way.leave_after(20ms);
    const cache_token end = cache->destroy();
    // Only `wait` waits for readers.
    EXPECT_EQ(in_the_way.left(), waits());
    EXPECT_EQ(end.poll(), waits());
    end.wait();
    EXPECT_TRUE(in_the_way.left());
    EXPECT_EQ(deleted, count);
    EXPECT_TRUE(domain.caches().empty());
}

// It is neither in flight nor held for good when destroy first looks.
TYPED_TEST(CacheDestroyBy, ReportsNothingThatADeleterWillDefer) {
    struct holder {
        ~holder() { cache.free_rcu(held); }
        typename TestFixture::cache_of_headless& cache;
        headless* held;
    };
    const auto cache = this->make_cache();
    quiesce::free_rcu(new holder{*cache, cache->allocate(this->deleted)}, std::default_delete<holder>(), this->domain);
    cache->destroy().wait();
    EXPECT_EQ(this->deleted, 1);
    EXPECT_EQ(kept_reports::count(), 0U);
}

TEST_P(CacheDestroy, EndsWhenWhatOtherThreadsDeferredIsFreed) {
    const auto cache = make_cache();
    std::latch deferred(2);
    std::latch leave(1);
    std::vector<std::jthread> threads;
    for (int i = 0; i != 2; ++i) {
        threads.emplace_back([&] {
            cache->free(cache->allocate(deleted));
            cache->free_rcu(cache->allocate(deleted));
            deferred.count_down();
            leave.wait();
        });
    }
    deferred.wait();
    cache->destroy().wait();
    EXPECT_EQ(deleted, 4);
    leave.count_down();
}

TEST_P(CacheDestroy, AnObjectHeldMayBeFreedLater) {
    using free_function = void (*)(cache_of_headless&, headless*);
    constexpr std::array<free_function, 4> ways = {
        [](cache_of_headless&, headless* object) { cache_free(object); },
        [](cache_of_headless&, headless* object) { cache_free_rcu(object); },
        [](cache_of_headless& cache, headless* object) { cache.free(object); },
        [](cache_of_headless& cache, headless* object) { cache.free_rcu(object); },
    };
    for (const free_function way : ways) {
        deleted = 0;
        const auto cache = make_cache();
        const std::array objects = {cache->allocate(deleted), cache->allocate(deleted)};
        const cache_token end = cache->destroy();
        expect_held(2);
        way(*cache, objects[0]);
        domain.flush_all();
        (void)kept_reports::take();
        EXPECT_FALSE(end.poll());
        std::thread([&] { way(*cache, objects[1]); }).join();
        end.wait();
        EXPECT_EQ(deleted, 2);
    }
}

TEST_P(CacheDestroy, AnObjectHeldOutlivesTheHandle) {
    auto cache = make_cache();
    headless* const freed = cache->allocate(deleted);
    headless* const deferred = cache->allocate(deleted);
    const cache_token end = cache->destroy();
    cache.reset();
    expect_held(2);
    std::thread([&] { cache_free(freed); }).join();
    EXPECT_EQ(deleted, 1);
    EXPECT_FALSE(end.poll());
    std::thread([&] { cache_free_rcu(deferred); }).join();
    end.wait();
    EXPECT_EQ(deleted, 2);
}

TEST_P(CacheDestroy, TheHandleDestroysByItsStrategy) {
    reader in_the_way(domain);
    auto cache = make_cache();
    headless* const held = cache->allocate(deleted);
    cache->free_rcu(cache->allocate(deleted));
    const std::jthread leaver = in_the_way.leave_after(20ms);
    cache.reset();
    EXPECT_EQ(in_the_way.left(), waits());
    expect_held(1);
    EXPECT_FALSE(domain.cache_named("objects").has_value());
    EXPECT_EQ(domain.caches().size(), 1U);
    cache_free(held);
    EXPECT_TRUE(eventually([&] { return domain.caches().empty(); }));
    EXPECT_EQ(deleted, 2);
}

TYPED_TEST(CacheDestroyBy, WhatIsHeldStaysAsItIs) {
    using page = std::array<unsigned char, 4000>;
    auto cache = std::make_unique<object_cache<page, typename TypeParam::platform>>(
        quiesce::object_cache_options{.name = "objects", .on_destroy = TypeParam::strategy}, this->domain);
    std::vector<page*> pages;
    for (int i = 0; i != 200; ++i) {
        pages.push_back(cache->allocate());
        pages.back()->fill(static_cast<unsigned char>(i));
        cache->free(cache->allocate());
    }
    const typename TestFixture::cache_token end = cache->destroy();
    cache.reset();
    this->expect_held(200);
    for (int i = 0; i != 200; ++i) {
        page expected;
        expected.fill(static_cast<unsigned char>(i));
        EXPECT_EQ(*pages[static_cast<std::size_t>(i)], expected);
        cache_free<page, typename TypeParam::platform>(pages[static_cast<std::size_t>(i)]);
    }
    end.wait();
}

TYPED_TEST(CacheDestroyBy, TheNameIsFreeAtOnce) {
    const auto cache = this->make_cache();
    headless* const held = cache->allocate(this->deleted);
    (void)cache->destroy();
    this->expect_held(1);
    EXPECT_FALSE(this->domain.cache_named("objects").has_value());
    const auto again = this->make_cache();
    headless* const another = again->allocate(this->deleted);
    EXPECT_EQ(this->domain.caches().size(), 2U);
    const std::optional<cache_usage> found = this->domain.cache_named("objects");
    ASSERT_TRUE(found.has_value());
    EXPECT_FALSE(found->pending);
    cache_free<headless, typename TypeParam::platform>(held);
    cache_free<headless, typename TypeParam::platform>(another);
    again->destroy().wait();
}

TEST_P(CacheDestroy, APendingCacheIsListed) {
    const auto cache = make_cache();
    headless* const held = cache->allocate(deleted);
    (void)cache->destroy();
    expect_held(1);
    reader in_the_way(domain);
    const std::vector<cache_usage> listed = domain.caches();
    ASSERT_EQ(listed.size(), 1U);
    EXPECT_EQ(listed[0].name, "objects");
    EXPECT_TRUE(listed[0].pending);
    EXPECT_EQ(listed[0].in_use, 1U);
    EXPECT_EQ(listed[0].in_flight, 0U);
    EXPECT_EQ(listed[0].slabs, 1U);
    cache_free_rcu(held);
    EXPECT_EQ(domain.caches().at(0).in_use, 0U);
    EXPECT_EQ(domain.caches().at(0).in_flight, 1U);
    in_the_way.leave();
    EXPECT_TRUE(eventually([&] { return domain.caches().empty(); }));
}

// A destructor that gives the next object back: nothing of the chain is held, though only its head is in flight.
struct link {
    link(std::atomic<int>& count, link* following, void (*how)(link*)) : deleted(&count), next(following), free(how) {}
    ~link() {
        deleted->fetch_add(1);
        if (next != nullptr) {
            free(next);
        }
    }
    std::atomic<int>* deleted;
    link* next;
    void (*free)(link*);
};

TYPED_TEST(CacheDestroyBy, ADestructorMayGiveBackOtherObjects) {
    for (void (*const free)(link*) :
         {&cache_free<link, typename TypeParam::platform>, &cache_free_rcu<link, typename TypeParam::platform>}) {
        this->deleted = 0;
        object_cache<link, typename TypeParam::platform> cache({.name = "links", .on_destroy = TypeParam::strategy},
                                                               this->domain);
        link* head = nullptr;
        for (int i = 0; i != 10; ++i) {
            head = cache.allocate(this->deleted, head, free);
        }
        cache.free_rcu(head);
        const typename TestFixture::cache_token end = cache.destroy();
        EXPECT_TRUE(end.poll() || !this->waits());
        end.wait();
        EXPECT_EQ(this->deleted, 10);
    }
}

TYPED_TEST(CacheDestroyBy, ASecondCallReturnsTheSameEnd) {
    const auto cache = this->make_cache();
    headless* const held = cache->allocate(this->deleted);
    const typename TestFixture::cache_token first = cache->destroy();
    this->expect_held(1);
    const typename TestFixture::cache_token second = cache->destroy();
    EXPECT_FALSE(first.poll() || second.poll());
    cache_free<headless, typename TypeParam::platform>(held);
    first.wait();
    EXPECT_TRUE(second.poll());
}

TEST_P(CacheDestroy, WhatIdleThreadsKeepDoesNotHoldItUp) {
    const auto cache = make_cache();
    std::latch freed(1);
    std::latch leave(1);
    const std::jthread idle([&] {
        std::vector<headless*> objects(200);
        for (headless*& object : objects) {
            object = cache->allocate(deleted);
        }
        for (headless* const object : objects) {
            cache->free(object);
        }
        freed.count_down();
        leave.wait();
    });
    freed.wait();
    cache->destroy().wait();
    EXPECT_EQ(cache->usage().slabs, 0U);
    leave.count_down();
}

TEST_P(CacheDestroy, AThreadThatExitsDuringItLeavesNothingBehind) {
    for (int round = 0; round != 200; ++round) {
        const auto cache = make_cache();
        std::latch freed(1);
        std::jthread exiting([&] {
            for (int i = 0; i != 10; ++i) {
                cache->free(cache->allocate(deleted));
                cache->free_rcu(cache->allocate(deleted));
            }
            freed.count_down();
        });
        freed.wait();
        const cache_token end = cache->destroy();
        domain.hurry();
        end.wait();
    }
    EXPECT_EQ(deleted, 200 * 20);
}

TYPED_TEST(CacheDestroyBy, ItsDomainMayGoOnceItHasEnded) {
    for (int round = 0; round != 100; ++round) {
        quiesce::basic_rcu_domain<typename TypeParam::platform> short_lived;
        object_cache<headless, typename TypeParam::platform> cache(
            {.name = "objects", .on_destroy = TypeParam::strategy}, short_lived);
        cache.free_rcu(cache.allocate(this->deleted));
        cache.destroy().wait();
    }
    EXPECT_EQ(this->deleted, 100);
}

// Three threads give the last objects back while a fourth destroys the cache and a fifth lists it.
TEST_P(CacheDestroy, EndsOnceWhenSeveralThreadsFreeTheLastObjects) {
    constexpr int rounds = 3000;
    ended_flag ends{0};
    std::array<headless*, 3> held{};
    std::barrier begin(4);
    std::atomic<bool> stop{false};
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i != held.size(); ++i) {
        threads.emplace_back([&, i] {
            for (int round = 0; round != rounds; ++round) {
                begin.arrive_and_wait();
                ((static_cast<std::size_t>(round) >> i) % 2 == 0 ? &cache_free<headless>
                                                                 : &cache_free_rcu<headless>)(held[i]);
                begin.arrive_and_wait();
            }
        });
    }
    std::jthread listing([&] {
        while (!stop) {
            EXPECT_LE(domain.caches().size(), 1U);
            std::this_thread::sleep_for(100us);
        }
    });
    for (int round = 0; round != rounds; ++round) {
        auto cache = make_cache();
        for (headless*& object : held) {
            object = cache->allocate(deleted);
        }
        begin.arrive_and_wait();
        const cache_token end = cache->destroy();
        end.on_end(&count_end, &ends);
        cache.reset();
        begin.arrive_and_wait();
        domain.hurry();
        end.wait();
    }
    stop = true;
    threads.clear();
    listing.join();
    domain.barrier();  // the last function has been called
    EXPECT_EQ(ends, rounds);
    EXPECT_EQ(deleted, 3 * rounds);
    (void)kept_reports::take();  // at times some are held
}

}  // namespace
