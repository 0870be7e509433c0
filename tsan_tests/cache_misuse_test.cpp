// Misuse of caches: each report names the call and the cache, and the call does nothing.
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "tsan_tests/cache_support.hpp"

namespace {

using namespace quiesce::tests;
using quiesce::cache_free;
using quiesce::cache_free_rcu;
using quiesce::cache_token;
using quiesce::destroy_strategy;
using quiesce::misuse;
using quiesce::object_cache;
using quiesce::rcu_domain;

class CacheMisuse : public CacheTest {
protected:
    // What was reported so far is this.
    static void expect(misuse kind, std::string_view call, std::string_view cache = "objects") {
        const std::vector<kept_report> found = kept_reports::take();
        ASSERT_EQ(found.size(), 1U);
        EXPECT_STREQ(describe(found[0].kind), describe(kind));
        EXPECT_EQ(found[0].call, call);
        EXPECT_EQ(found[0].cache, cache);
    }

    object_cache<headless> objects{{.name = "objects"}, domain};
};

#if QUIESCE_CHECKED  // What only checked builds notice.

class CacheMisuseChecked : public CacheMisuse {
protected:
    void expect_all_freed(int count) {
        domain.free_rcu_barrier();
        EXPECT_EQ(deleted, count);
        EXPECT_EQ(objects.usage().in_use, 0U);
        EXPECT_EQ(objects.usage().in_flight, 0U);
        headless* const one = objects.allocate(deleted);
        headless* const another = objects.allocate(deleted);
        EXPECT_NE(one, another);
        objects.free(one);
        objects.free(another);
    }
};

TEST_F(CacheMisuseChecked, ASecondFreeIsReportedAndDoesNothing) {
    headless* const object = objects.allocate(deleted);
    objects.free(object);
    objects.free(object);
    expect(misuse::double_free, "free");
    cache_free(object);
    expect(misuse::double_free, "free");
    expect_all_freed(1);
}

TEST_F(CacheMisuseChecked, ASecondFreeRcuIsReportedAndDoesNothing) {
    headless* const object = objects.allocate(deleted);
    reader in_the_way(domain);
    objects.free_rcu(object);
    objects.free_rcu(object);
    expect(misuse::double_free, "free_rcu");
    cache_free_rcu(object);
    expect(misuse::double_free, "free_rcu");
    EXPECT_TRUE(objects.try_free_rcu(object));
    expect(misuse::double_free, "try_free_rcu");
    in_the_way.leave();
    expect_all_freed(1);
}

TEST_F(CacheMisuseChecked, FreeRcuAfterFreeIsReportedAndDoesNothing) {
    headless* const object = objects.allocate(deleted);
    objects.free(object);
    objects.free_rcu(object);
    expect(misuse::double_free, "free_rcu");
    expect_all_freed(1);
}

TEST_F(CacheMisuseChecked, FreeAfterFreeRcuIsReportedAndDoesNothing) {
    headless* const object = objects.allocate(deleted);
    reader in_the_way(domain);
    objects.free_rcu(object);
    objects.free(object);
    expect(misuse::double_free, "free");
    EXPECT_EQ(deleted, 0);
    in_the_way.leave();
    domain.free_rcu_barrier();
    objects.free(object);
    expect(misuse::double_free, "free");
    expect_all_freed(1);
}

TEST_F(CacheMisuseChecked, ASecondFreeByAnotherThreadIsReportedOnce) {
    for (int round = 1; round != 100; ++round) {
        headless* const object = objects.allocate(deleted);
        std::jthread other([&] { cache_free(object); });
        cache_free_rcu(object);
        other.join();
        EXPECT_EQ(kept_reports::take().size(), 1U);
        domain.free_rcu_barrier();
        EXPECT_EQ(deleted, round);
    }
}

TEST_F(CacheMisuseChecked, FreeingIntoAnotherCacheIsReportedAndDoesNothing) {
    object_cache<headless> others({.name = "others"}, domain);
    headless* const object = objects.allocate(deleted);
    others.free(object);
    expect(misuse::free_into_wrong_cache, "free", "others");
    others.free_rcu(object);
    expect(misuse::free_into_wrong_cache, "free_rcu", "others");
    EXPECT_TRUE(others.try_free_rcu(object));
    expect(misuse::free_into_wrong_cache, "try_free_rcu", "others");
    objects.free(object);
    expect_all_freed(1);
}

TEST_F(CacheMisuseChecked, FreeRcuInASectionIsReportedAndDoesNothing) {
    headless* const object = objects.allocate(deleted);
    {
        const std::scoped_lock section(domain);
        objects.free_rcu(object);
        expect(misuse::free_rcu_in_section, "free_rcu");
    }
    domain.free_rcu_barrier();
    EXPECT_EQ(deleted, 0);
    objects.free_rcu(object);
    expect_all_freed(1);
}

#endif

TEST_F(CacheMisuse, AllocatingAfterDestroyIsReportedAndReturnsNull) {
    (void)objects.destroy();
    EXPECT_EQ(objects.allocate(deleted), nullptr);
    expect(misuse::allocate_after_destroy, "allocate");
    EXPECT_EQ(objects.usage().slabs, 0U);
}

TEST_F(CacheMisuse, AllocatingWhileTheLastIsHeldIsReportedAndReturnsNull) {
    object_cache<headless> others({.name = "others", .on_destroy = destroy_strategy::last_free}, domain);
    headless* const held = others.allocate(deleted);
    const cache_token end = others.destroy();
    EXPECT_EQ(others.allocate(deleted), nullptr);
    expect(misuse::allocate_after_destroy, "allocate", "others");
    cache_free(held);
    end.wait();
}

TEST_F(CacheMisuse, DestroyThatWouldWaitInASectionIsReportedAndDoesNothing) {
    {
        const std::scoped_lock section(domain);
        EXPECT_FALSE(objects.destroy().poll());
        expect(misuse::destroy_in_section, "cache destroy");
    }
    objects.free(objects.allocate(deleted));
    EXPECT_TRUE(domain.cache_named("objects").has_value());
    EXPECT_TRUE(objects.destroy().poll());
}

TEST_F(CacheMisuse, OtherStrategiesMayDestroyInASection) {
    for (const destroy_strategy strategy : {destroy_strategy::async, destroy_strategy::last_free}) {
        std::optional<cache_token> end;
        {
            object_cache<headless> others({.name = "others", .on_destroy = strategy}, domain);
            others.free(others.allocate(deleted));
            const std::scoped_lock section(domain);
            end = others.destroy();
        }
        end->wait();
    }
}

TEST_F(CacheMisuse, DestroyThatWouldWaitInACallbackOrADestructorIsReported) {
    struct probe : quiesce::rcu_head {
        explicit probe(object_cache<headless>& cache) : victim(&cache) {}
        probe(const probe&) = delete;
        probe& operator=(const probe&) = delete;
        ~probe() { EXPECT_FALSE(victim->destroy().poll()); }
        object_cache<headless>* victim;
    };
    object_cache<probe> probes({.name = "probes"}, domain);
    probes.free_rcu(probes.allocate(objects));
    domain.free_rcu_barrier();
    expect(misuse::destroy_in_callback, "cache destroy");
    domain.retire(new probe(objects), [](quiesce::rcu_head* h) { delete static_cast<probe*>(h); });
    domain.barrier();
    expect(misuse::destroy_in_callback, "cache destroy");
    objects.free(objects.allocate(deleted));
}

TEST_F(CacheMisuse, AHandleThatEndsInASectionIsReportedAndWaitsForNothing) {
    {
        const std::scoped_lock section(domain);
        object_cache<headless> others({.name = "others"}, domain);
        others.free(others.allocate(deleted));
    }
    expect(misuse::destroy_in_section, "cache destroy", "others");
    EXPECT_TRUE(eventually([&] { return domain.caches().size() == 1; }));
}

TEST_F(CacheMisuse, WaitingForTheEndInASectionIsReportedAndReturns) {
    object_cache<headless> others({.name = "others", .on_destroy = destroy_strategy::last_free}, domain);
    headless* const held = others.allocate(deleted);
    const cache_token end = others.destroy();
    {
        const std::scoped_lock section(domain);
        end.wait();
        expect(misuse::destroy_in_section, "cache_token::wait", "others");
        EXPECT_FALSE(end.wait_for(10'000));
        expect(misuse::destroy_in_section, "cache_token::wait_for", "others");
    }
    cache_free(held);
    end.wait();
    const std::scoped_lock section(domain);
    end.wait();  // has nothing to wait for
    EXPECT_TRUE(end.wait_for(1));
}

TEST_F(CacheMisuse, WaitingForTheEndInADestructorIsReportedAndReturns) {
    struct probe {
        explicit probe(std::optional<cache_token>& token) : end(&token) {}
        ~probe() { (*end)->wait(); }
        std::optional<cache_token>* end;
    };
    std::optional<cache_token> end;
    object_cache<probe> probes({.name = "probes", .on_destroy = destroy_strategy::last_free}, domain);
    probe* const last = probes.allocate(end);
    end = probes.destroy();
    cache_free_rcu(last);
    end->wait();
    expect(misuse::destroy_in_callback, "cache_token::wait", "probes");
}

TEST_F(CacheMisuse, ADomainDestroyedBeforeItsCachesIsReported) {
    static auto& lost = *new std::vector<int*>;  // nobody can free them any more
    {
        rcu_domain short_lived;
        object_cache<int> numbers({.name = "numbers", .on_destroy = destroy_strategy::last_free}, short_lived);
        lost.push_back(numbers.allocate(1));
    }
    expect(misuse::domain_destroyed_with_caches, "~rcu_domain", "numbers");
}

#if QUIESCE_CHECKED
TEST(CacheMisuseDeathTest, TheDefaultHandlerNamesTheCacheAndAborts) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_DEATH(
        {
            object_cache<int> numbers({.name = "numbers"});
            int* const number = numbers.allocate(1);
            numbers.free(number);
            numbers.free(number);
        },
        "quiesce: misuse in free: an object was freed that was not allocated, or had been freed before .cache numbers");
}
#endif

}  // namespace
