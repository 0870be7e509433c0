// Staged caches in the listing of their first domain, and the names that they share with other caches.
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "quiesce/object_cache.hpp"
#include "tsan_tests/staged_cache_support.hpp"

namespace {

using namespace quiesce::tests;
using quiesce::cache_usage;
using quiesce::misuse;
using quiesce::object_cache;
using quiesce::rcu_domain;
using quiesce::staged_cache;
using quiesce::staged_cache_token;
using quiesce::staged_destroy;

using StagedListing = StagedCache;

TEST_F(StagedListing, TellsWhatIsInUseAndWhatIsInFlight) {
    EXPECT_TRUE(tasks.caches().empty()) << "the first domain's";
    node* const held = allocate();
    reader in_first(first);
    reader in_tasks(tasks);
    for (int i = 0; i != 3; ++i) {
        cache->free_rcu(allocate());
    }
    const auto expect_in_flight = [&](std::uint64_t objects) {
        const std::vector<cache_usage> listed = first.caches();
        ASSERT_EQ(listed.size(), 1U);
        EXPECT_EQ(listed[0].name, "nodes");
        EXPECT_TRUE(listed[0].staged);
        EXPECT_FALSE(listed[0].pending);
        EXPECT_EQ(listed[0].in_use, 1U);
        EXPECT_EQ(listed[0].in_flight, objects);
        EXPECT_EQ(listed[0].bytes, listed[0].slabs * quiesce::native_platform::limits().slab_bytes);
    };
    expect_in_flight(3);
    in_first.leave();
    first.synchronize();
    first.barrier();
    expect_in_flight(3);
    EXPECT_EQ(returned, 0);
    in_tasks.leave();
    first.flush_all();
    expect_in_flight(0);
    cache->free(held);
    EXPECT_EQ(first.caches().at(0).in_use, 0U);
}

TEST_F(StagedListing, TellsOfASurplusThatIsOnItsWay) {
    const pinned here(0);
    std::vector<node*> held;
    for (unsigned i = 0; i != 4 * high; ++i) {
        held.push_back(allocate());
    }
    reader in_tasks(tasks);
    for (node* const n : held) {
        cache->free(n);
    }
    EXPECT_TRUE(eventually([&] { return first.caches().at(0).in_flight >= 2 * high; }));
    EXPECT_EQ(first.caches().at(0).in_use, 0U);
    in_tasks.leave();
    first.flush_all();
    EXPECT_EQ(first.caches().at(0).in_flight, 0U);
}

TEST_F(StagedListing, ADestroyedCacheIsPendingUntilItsEnd) {
    reader in_the_way(first);
    {
        const pinned here(0);
        cache->free_rcu(allocate());
    }
    const staged_cache_token end = cache->destroy();
    const std::vector<cache_usage> listed = first.caches();
    ASSERT_EQ(listed.size(), 1U);
    EXPECT_TRUE(listed[0].pending);
    EXPECT_EQ(describe(listed[0]), "nodes: staged, pending (in flight: 1, quarantined: 0, held: 0), 1 slab, " +
                                       std::to_string(quiesce::native_platform::limits().slab_bytes) + " bytes");
    in_the_way.leave();
    end.wait();
    EXPECT_TRUE(first.caches().empty());
}

TEST_F(StagedListing, ANameIsOfOneCacheOfEitherKindAndFreeWhenThatIsDestroyed) {
    EXPECT_THROW(staged_cache(first, tasks, options()), std::invalid_argument);
    EXPECT_THROW(object_cache<int>({.name = "nodes"}, first), std::invalid_argument);
    const staged_cache in_the_other_domain(tasks, first, options());
    std::optional<cache_usage> found = first.cache_named("nodes");
    ASSERT_TRUE(found.has_value());
    EXPECT_TRUE(found->staged);

    reader in_the_way(first);
    cache->free_rcu(allocate());
    const staged_cache_token end = cache->destroy();
    EXPECT_FALSE(first.cache_named("nodes").has_value());
    {
        object_cache<int> objects({.name = "nodes"}, first);
        EXPECT_EQ(first.caches().size(), 2U);
        EXPECT_THROW(staged_cache(first, tasks, options()), std::invalid_argument);
        found = first.cache_named("nodes");
        ASSERT_TRUE(found.has_value());
        EXPECT_FALSE(found->staged);
        in_the_way.leave();
        objects.destroy().wait();
    }
    end.wait();
    EXPECT_TRUE(first.caches().empty());
    make(staged_destroy::order);
    EXPECT_EQ(first.caches().size(), 1U);
}

TEST_F(StagedListing, ADomainDestroyedBeforeTheEndOfItsStagedCacheReportsIt) {
    static auto& lost = *new std::vector<staged_cache_token>;  // of an end that never comes
    {
        rcu_domain short_lived;
        reader in_the_way(tasks);
        staged_cache other(short_lived, tasks, options(staged_destroy::draining, "others"));
        other.free_rcu(::new (other.allocate()) node{&returned, 0});
        short_lived.synchronize();
        short_lived.barrier();
        lost.push_back(other.destroy());
        short_lived.stop_driver();
        in_the_way.leave();
    }
    EXPECT_EQ(returned, 1);
    const std::vector<kept_report> found = kept_reports::take();
    ASSERT_EQ(found.size(), 2U);
    EXPECT_STREQ(describe(found[0].kind), describe(misuse::domain_destroyed_with_caches));
    EXPECT_EQ(found[0].cache, "others");
    EXPECT_STREQ(describe(found[1].kind), describe(misuse::domain_destroyed_with_callbacks));
}

}  // namespace
