// The end of a destroyed cache: who waits for it, who is told of it, and what is reported of objects that are held
// then.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <thread>
#include <vector>

#include "tsan_tests/cache_support.hpp"

namespace {

using namespace quiesce::tests;
using quiesce::cache_free;
using quiesce::cache_free_rcu;
using quiesce::cache_token;
using quiesce::destroy_strategy;
using quiesce::object_cache;
using quiesce::rcu_domain;

class CacheEnd : public CacheTest {
protected:
    object_cache<headless> cache{{.name = "objects", .on_destroy = destroy_strategy::last_free}, domain};
    headless* held = cache.allocate(deleted);
};

TEST_F(CacheEnd, WaitForGivesUpWhenTheTimeIsOver) {
    const cache_token end = cache.destroy();
    const auto start = std::chrono::steady_clock::now();
    EXPECT_FALSE(end.wait_for(20));
    EXPECT_GE(std::chrono::steady_clock::now() - start, 19ms);
    cache_free(held);
    EXPECT_TRUE(end.wait_for(10'000));
    EXPECT_TRUE(end.wait_for(0));
}

TEST_F(CacheEnd, WaitForTakesTheStepsOfADriverThatWasStopped) {
    const cache_token end = cache.destroy();
    domain.stop_driver();
    EXPECT_FALSE(end.wait_for(20));
    cache_free(held);
    EXPECT_TRUE(end.wait_for(10'000));
}

TEST_F(CacheEnd, EveryWaiterReturns) {
    const cache_token end = cache.destroy();
    std::atomic<int> returned{0};
    std::vector<std::jthread> waiters;
    for (int i = 0; i != 4; ++i) {
        waiters.emplace_back([copy = end, &returned] {
            copy.wait();
            returned.fetch_add(1);
        });
    }
    std::this_thread::sleep_for(5ms);
    EXPECT_EQ(returned, 0);
    cache_free_rcu(held);
    EXPECT_TRUE(eventually([&] { return returned == 4; }));
}

TEST_F(CacheEnd, TheFunctionIsCalledOnceAndOnTheDriver) {
    struct probe {
        ended_flag calls{0};
        std::thread::id where;
    } p;
    const cache_token end = cache.destroy();
    end.on_end(
        [](void* context) {
            static_cast<probe*>(context)->where = std::this_thread::get_id();
            count_end(&static_cast<probe*>(context)->calls);
        },
        &p);
    EXPECT_EQ(p.calls, 0);
    cache_free(held);
    EXPECT_TRUE(eventually([&] { return p.calls != 0; }));
    domain.flush_all();
    EXPECT_EQ(p.calls, 1);
    EXPECT_NE(p.where, std::this_thread::get_id());
}

TEST_F(CacheEnd, TheFunctionIsCalledNowWhenItHasComeAlready) {
    const cache_token end = cache.destroy();
    cache_free(held);
    end.wait();
    ended_flag calls{0};
    end.on_end(&count_end, &calls);
    EXPECT_EQ(calls, 1);
}

TEST_F(CacheEnd, ALaterFunctionReplacesAnEarlierOne) {
    const cache_token end = cache.destroy();
    ended_flag earlier{0};
    ended_flag later{0};
    end.on_end(&count_end, &earlier);
    end.on_end(&count_end, &later);
    cache_free(held);
    EXPECT_TRUE(eventually([&] { return later == 1; }));
    EXPECT_EQ(earlier, 0);
}

// A function called under a lock would wait for itself.
TEST_F(CacheEnd, TheFunctionMayUseTheDomainAndTheToken) {
    struct probe {
        rcu_domain& home;
        std::optional<cache_token> end;
        ended_flag calls{0};
    } p{.home = domain, .end = cache.destroy()};
    p.end->on_end(
        [](void* context) {
            auto& self = *static_cast<probe*>(context);
            EXPECT_TRUE(self.end->poll());
            EXPECT_TRUE(self.home.caches().empty());
            object_cache<int> next({.name = "objects", .on_destroy = destroy_strategy::last_free}, self.home);
            next.free(next.allocate(1));
            self.end->on_end(&count_end, &self.calls);
        },
        &p);
    cache_free(held);
    EXPECT_TRUE(eventually([&] { return p.calls == 1; }));
    EXPECT_TRUE(eventually([&] { return domain.caches().empty(); }));
}

TEST_F(CacheEnd, TokensMayOutliveTheCacheAndTheDomain) {
    std::optional<cache_token> end;
    {
        rcu_domain short_lived;
        object_cache<int> numbers({.name = "numbers"}, short_lived);
        int* const number = numbers.allocate(1);
        numbers.free_rcu(number);
        end = numbers.destroy();
    }
    const std::optional<cache_token> copy = end;
    cache_token assigned = cache.destroy();
    assigned = *copy;
    end.reset();
    assigned.wait();
    EXPECT_TRUE(copy->wait_for(0));
    EXPECT_TRUE(assigned.poll());
    cache_free(held);
}

#if QUIESCE_CHECKED  // Sites are noted.

class CacheSites : public CacheTest, public testing::WithParamInterface<destroy_strategy> {
protected:
    [[gnu::noinline]] static headless* allocate_here(object_cache<headless>& cache, std::atomic<int>& count) {
        return cache.allocate(count);
    }
    [[gnu::noinline]] static headless* allocate_there(object_cache<headless>& cache, std::atomic<int>& count) {
        headless* const object = cache.allocate(count);
        count.fetch_add(0);  // the two functions stay two
        return object;
    }
};

INSTANTIATE_TEST_SUITE_P(Strategies, CacheSites, testing::Values(destroy_strategy::wait, destroy_strategy::async),
                         name_of);

TEST_P(CacheSites, TheReportSaysWhereWhatIsHeldWasAllocated) {
    object_cache<headless> cache({.name = "objects", .on_destroy = GetParam()}, domain);
    std::vector<headless*> objects;
    for (int i = 0; i != 300; ++i) {
        objects.push_back(i % 3 == 0 ? allocate_here(cache, deleted) : allocate_there(cache, deleted));
    }
    // What was freed, at once or later, is not held.
    for (int i = 0; i != 3; ++i) {
        cache.free(objects.back());
        objects.pop_back();
        cache.free_rcu(objects.back());
        objects.pop_back();
    }
    const cache_token end = cache.destroy();
    EXPECT_TRUE(eventually([] { return kept_reports::count() != 0; }));
    const std::vector<kept_report> found = kept_reports::take();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].objects, 294U);
    ASSERT_EQ(found[0].sites.count, 2U);
    EXPECT_EQ(found[0].sites.others, 0U);
    EXPECT_EQ(found[0].sites.found[0].objects + found[0].sites.found[1].objects, 294U);
    EXPECT_EQ(std::min(found[0].sites.found[0].objects, found[0].sites.found[1].objects), 98U);
    Dl_info here{};
    ASSERT_NE(::dladdr(reinterpret_cast<const void*>(&name_of), &here), 0);
    for (unsigned i = 0; i != 2; ++i) {
        Dl_info place{};
        ASSERT_NE(::dladdr(found[0].sites.found[i].address, &place), 0);
        EXPECT_EQ(place.dli_fbase, here.dli_fbase);
    }
    for (headless* const object : objects) {
        cache_free(object);
    }
    end.wait();
}

#endif

TEST(CacheReportDeathTest, WhatIsHeldIsPrintedAndTheProgramGoesOn) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_EXIT(
        {
            object_cache<int> cache({.name = "numbers"});
            int* const held = cache.allocate(1);
            const cache_token end = cache.destroy();
            cache_free(held);
            std::exit(end.wait_for(10'000) ? 0 : 1);
        },
        testing::ExitedWithCode(0), "a cache was destroyed while objects of it were held .cache numbers, 1 objects.");
}

}  // namespace
