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

template <class P>
class CacheMisuseOf : public CacheTestOf<P> {
protected:
    // What was reported so far is this.
    static void expect(misuse kind, std::string_view call, std::string_view cache = "objects") {
        const std::vector<kept_report> found = kept_reports::take();
        ASSERT_EQ(found.size(), 1U);
        EXPECT_STREQ(describe(found[0].kind), describe(kind));
        EXPECT_EQ(found[0].call, call);
        EXPECT_EQ(found[0].cache, cache);
    }

    object_cache<headless, P> objects{{.name = "objects"}, this->domain};
};
TYPED_TEST_SUITE(CacheMisuseOf, domain_kinds, domain_kind_name);
using CacheMisuse = CacheMisuseOf<quiesce::native_platform>;

#if QUIESCE_CHECKED  // What only checked builds notice.

template <class P>
class CacheMisuseCheckedOf : public CacheMisuseOf<P> {
protected:
    void expect_all_freed(int count) {
        this->domain.free_rcu_barrier();
        EXPECT_EQ(this->deleted, count);
        EXPECT_EQ(this->objects.usage().in_use, 0U);
        EXPECT_EQ(this->objects.usage().in_flight, 0U);
        headless* const one = this->objects.allocate(this->deleted);
        headless* const another = this->objects.allocate(this->deleted);
        EXPECT_NE(one, another);
        this->objects.free(one);
        this->objects.free(another);
    }
};
TYPED_TEST_SUITE(CacheMisuseCheckedOf, domain_kinds, domain_kind_name);
using CacheMisuseChecked = CacheMisuseCheckedOf<quiesce::native_platform>;

TYPED_TEST(CacheMisuseCheckedOf, ASecondFreeIsReportedAndDoesNothing) {
    headless* const object = this->objects.allocate(this->deleted);
    this->objects.free(object);
    this->objects.free(object);
    this->expect(misuse::double_free, "free");
    cache_free<headless, TypeParam>(object);
    this->expect(misuse::double_free, "free");
    this->expect_all_freed(1);
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

TYPED_TEST(CacheMisuseCheckedOf, FreeRcuAfterFreeIsReportedAndDoesNothing) {
    headless* const object = this->objects.allocate(this->deleted);
    this->objects.free(object);
    this->objects.free_rcu(object);
    this->expect(misuse::double_free, "free_rcu");
    this->expect_all_freed(1);
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

TYPED_TEST(CacheMisuseCheckedOf, FreeingIntoAnotherCacheIsReportedAndDoesNothing) {
    object_cache<headless, TypeParam> others({.name = "others"}, this->domain);
    headless* const object = this->objects.allocate(this->deleted);
    others.free(object);
    this->expect(misuse::free_into_wrong_cache, "free", "others");
    others.free_rcu(object);
    this->expect(misuse::free_into_wrong_cache, "free_rcu", "others");
    EXPECT_TRUE(others.try_free_rcu(object));
    this->expect(misuse::free_into_wrong_cache, "try_free_rcu", "others");
    this->objects.free(object);
    this->expect_all_freed(1);
}

TYPED_TEST(CacheMisuseCheckedOf, FreeRcuInASectionIsReportedAndDoesNothing) {
    headless* const object = this->objects.allocate(this->deleted);
    {
        const std::scoped_lock section(this->domain);
        this->objects.free_rcu(object);
        this->expect(misuse::free_rcu_in_section, "free_rcu");
    }
    this->domain.free_rcu_barrier();
    EXPECT_EQ(this->deleted, 0);
    this->objects.free_rcu(object);
    this->expect_all_freed(1);
}

#endif

TYPED_TEST(CacheMisuseOf, AllocatingAfterDestroyIsReportedAndReturnsNull) {
    (void)this->objects.destroy();
    EXPECT_EQ(this->objects.allocate(this->deleted), nullptr);
    this->expect(misuse::allocate_after_destroy, "allocate");
    EXPECT_EQ(this->objects.usage().slabs, 0U);
}

TYPED_TEST(CacheMisuseOf, AllocatingWhileTheLastIsHeldIsReportedAndReturnsNull) {
    object_cache<headless, TypeParam> others({.name = "others", .on_destroy = destroy_strategy::last_free},
                                             this->domain);
    headless* const held = others.allocate(this->deleted);
    const quiesce::basic_cache_token<TypeParam> end = others.destroy();
    EXPECT_EQ(others.allocate(this->deleted), nullptr);
    this->expect(misuse::allocate_after_destroy, "allocate", "others");
    cache_free<headless, TypeParam>(held);
    end.wait();
}

TYPED_TEST(CacheMisuseOf, DestroyThatWouldWaitInASectionIsReportedAndDoesNothing) {
    {
        const std::scoped_lock section(this->domain);
        EXPECT_FALSE(this->objects.destroy().poll());
        this->expect(misuse::destroy_in_section, "cache destroy");
    }
    this->objects.free(this->objects.allocate(this->deleted));
    EXPECT_TRUE(this->domain.cache_named("objects").has_value());
    EXPECT_TRUE(this->objects.destroy().poll());
}

TYPED_TEST(CacheMisuseOf, OtherStrategiesMayDestroyInASection) {
    for (const destroy_strategy strategy : {destroy_strategy::async, destroy_strategy::last_free}) {
        std::optional<quiesce::basic_cache_token<TypeParam>> end;
        {
            object_cache<headless, TypeParam> others({.name = "others", .on_destroy = strategy}, this->domain);
            others.free(others.allocate(this->deleted));
            const std::scoped_lock section(this->domain);
            end = others.destroy();
        }
        end->wait();
    }
}

TYPED_TEST(CacheMisuseOf, DestroyThatWouldWaitInACallbackOrADestructorIsReported) {
    struct probe : quiesce::basic_rcu_head<TypeParam> {
        explicit probe(object_cache<headless, TypeParam>& cache) : victim(&cache) {}
        probe(const probe&) = delete;
        probe& operator=(const probe&) = delete;
        ~probe() { EXPECT_FALSE(victim->destroy().poll()); }
        object_cache<headless, TypeParam>* victim;
    };
    object_cache<probe, TypeParam> probes({.name = "probes"}, this->domain);
    probes.free_rcu(probes.allocate(this->objects));
    this->domain.free_rcu_barrier();
    this->expect(misuse::destroy_in_callback, "cache destroy");
    this->domain.retire(new probe(this->objects),
                        [](quiesce::basic_rcu_head<TypeParam>* h) { delete static_cast<probe*>(h); });
    this->domain.barrier();
    this->expect(misuse::destroy_in_callback, "cache destroy");
    this->objects.free(this->objects.allocate(this->deleted));
}

TYPED_TEST(CacheMisuseOf, AHandleThatEndsInASectionIsReportedAndWaitsForNothing) {
    {
        const std::scoped_lock section(this->domain);
        object_cache<headless, TypeParam> others({.name = "others"}, this->domain);
        others.free(others.allocate(this->deleted));
    }
    this->expect(misuse::destroy_in_section, "cache destroy", "others");
    EXPECT_TRUE(eventually(this->domain, [&] { return this->domain.caches().size() == 1; }));
}

TYPED_TEST(CacheMisuseOf, WaitingForTheEndInASectionIsReportedAndReturns) {
    object_cache<headless, TypeParam> others({.name = "others", .on_destroy = destroy_strategy::last_free},
                                             this->domain);
    headless* const held = others.allocate(this->deleted);
    const quiesce::basic_cache_token<TypeParam> end = others.destroy();
    {
        const std::scoped_lock section(this->domain);
        end.wait();
        this->expect(misuse::destroy_in_section, "cache_token::wait", "others");
        EXPECT_FALSE(end.wait_for(10'000));
        this->expect(misuse::destroy_in_section, "cache_token::wait_for", "others");
    }
    cache_free<headless, TypeParam>(held);
    end.wait();
    const std::scoped_lock section(this->domain);
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
