// A cache that delays the reuse of what was freed.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

#include "tsan_tests/cache_support.hpp"
#include "tsan_tests/sanitizers.hpp"

namespace {

using namespace quiesce::tests;
using quiesce::cache_token;
using quiesce::cache_usage;
using quiesce::destroy_strategy;
using quiesce::misuse;
using quiesce::object_cache;
using quiesce::type_stable_cache;

struct word {
    explicit word(std::uint64_t v = 0) : value(v) {}
    std::uint64_t value;
};
constexpr std::size_t room = 10;

template <class P>
class QuarantineIn : public CacheTestOf<P> {
protected:
    object_cache<word, P> words{{.name = "words", .quarantine_bytes = room * sizeof(word)}, this->domain};
};
TYPED_TEST_SUITE(QuarantineIn, domain_kinds, domain_kind_name);
using Quarantine = QuarantineIn<quiesce::native_platform>;

TYPED_TEST(QuarantineIn, AFreedObjectIsNotAllocatedAgainBeforeSoManyOthersWereFreed) {
    word* const first = this->words.allocate(1U);
    this->words.free(first);
    for (std::size_t i = 0; i != room; ++i) {
        word* const other = this->words.allocate(2U);
        EXPECT_NE(other, first) << i;
        this->words.free(other);
    }
    EXPECT_EQ(this->words.usage().quarantined, room);
    std::set<word*> next;
    while (next.count(first) == 0 && next.size() != 100'000) {
        next.insert(this->words.allocate(3U));
    }
    EXPECT_EQ(next.count(first), 1U) << "it never comes back";
    for (word* const w : next) {
        this->words.free(w);
    }
}

TYPED_TEST(QuarantineIn, CoversWhatWasGivenToFreeRcu) {
    word* const object = this->words.allocate(1U);
    this->words.free_rcu(object);
    this->domain.free_rcu_barrier();
    const cache_usage usage = this->words.usage();
    EXPECT_EQ(usage.quarantined, 1U);
    EXPECT_EQ(usage.in_flight, 0U);
    EXPECT_EQ(usage.in_use, 0U);
    EXPECT_EQ(describe(usage), "words: open (in flight: 0, quarantined: 1, in use: 0), 1 slab, " +
                                   std::to_string(usage.bytes) + " bytes");
}

TYPED_TEST(QuarantineIn, AnObjectThatIsLargerThanItIsQuarantinedAllTheSame) {
    struct large {
        std::array<char, 1000> bytes;
    };
    object_cache<large, TypeParam> cache({.name = "large", .quarantine_bytes = 1}, this->domain);
    large* const first = cache.allocate();
    cache.free(first);
    large* const second = cache.allocate();
    EXPECT_NE(second, first);
    cache.free(second);
    EXPECT_EQ(cache.usage().quarantined, 1U);
}

#ifdef QUIESCE_ASAN
using QuarantineDeathTest = Quarantine;
TEST_F(QuarantineDeathTest, AddressSanitizerSeesAUseOfAFreedObject) {
    word* const object = words.allocate(1U);
    words.free(object);
    volatile std::uint64_t& value = object->value;
    EXPECT_DEATH((void)value, "use-after-poison");
    EXPECT_DEATH(value = 2, "use-after-poison");
}
#else
TYPED_TEST(QuarantineIn, AWriteToAFreedObjectIsReportedWhenItsTimeIsOver) {
    word* volatile const object = this->words.allocate(1U);
    this->words.free(object);
    object->value = 2;
    for (std::size_t i = 0; i != room; ++i) {
        EXPECT_EQ(kept_reports::count(), 0U);
        this->words.free(this->words.allocate(3U));
    }
    const std::vector<kept_report> found = kept_reports::take();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].kind, misuse::written_after_free);
    EXPECT_EQ(found[0].cache, "words");
}

TYPED_TEST(QuarantineIn, AWriteToAFreedObjectIsReportedAtTheEndOfTheCache) {
    word* volatile const object = this->words.allocate(1U);
    this->words.free_rcu(object);
    this->domain.free_rcu_barrier();
    object->value = 2;
    this->words.destroy().wait();
    const std::vector<kept_report> found = kept_reports::take();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].kind, misuse::written_after_free);
}
#endif

TYPED_TEST(QuarantineIn, ATypeStableObjectStaysAsItIs) {
    type_stable_cache<word, TypeParam> cache({.name = "stable", .quarantine_bytes = room * sizeof(word)}, this->domain);
    word* const object = cache.allocate();
    object->value = 7;
    cache.free(object);
    EXPECT_EQ(object->value, 7U);
    object->value = 8;
    for (std::size_t i = 0; i != room; ++i) {
        word* const other = cache.allocate();
        EXPECT_NE(other, object);
        cache.free(other);
    }
    EXPECT_EQ(object->value, 8U);
}

TYPED_TEST(QuarantineIn, DestroyEmptiesItWithEachStrategy) {
    for (const destroy_strategy strategy :
         {destroy_strategy::wait, destroy_strategy::async, destroy_strategy::last_free}) {
        object_cache<word, TypeParam> cache(
            {.name = "cache", .on_destroy = strategy, .quarantine_bytes = room * sizeof(word)}, this->domain);
        std::vector<word*> held;
        for (std::size_t i = 0; i != 3 * room; ++i) {
            held.push_back(cache.allocate(i));
        }
        for (std::size_t i = 0; i != 2 * room; ++i) {
            i % 2 == 0 ? cache.free(held[i]) : cache.free_rcu(held[i]);
        }
        for (std::size_t i = 2 * room; i != 3 * room; ++i) {
            cache.free_rcu(held[i]);
        }
        const quiesce::basic_cache_token<TypeParam> end = cache.destroy();
        EXPECT_TRUE(end.wait_for(10'000));
    }
}

TEST_F(Quarantine, APendingCacheSaysWhatItWaitsFor) {
    object_cache<word> cache(
        {.name = "cache", .on_destroy = destroy_strategy::last_free, .quarantine_bytes = room * sizeof(word)}, domain);
    word* const held = cache.allocate(1U);
    cache.free(cache.allocate(2U));
    {
        const reader in_the_way(domain);
        std::thread([&] { cache.free_rcu(cache.allocate(3U)); }).join();
        const cache_token end = cache.destroy();
        const cache_usage usage = cache.usage();
        EXPECT_TRUE(usage.pending);
        EXPECT_EQ(describe(usage), "cache: pending (in flight: 1, quarantined: 0, held: 1), 1 slab, " +
                                       std::to_string(usage.bytes) + " bytes");
    }
    cache.free(held);
}

TEST_F(Quarantine, HoldsUnderStressWhileCachesEnd) {
    std::mt19937_64 random(seed_of_this_run());
    const auto end = std::chrono::steady_clock::now() + stress_time;
    do {
        object_cache<word> cache({.name = "cache",
                                  .on_destroy = destroy_strategy::last_free,
                                  .quarantine_bytes = (1 + random() % 20) * sizeof(word)},
                                 domain);
        std::vector<std::jthread> threads;
        for (int t = 0; t != 3; ++t) {
            std::vector<word*> own(random() % 200);
            for (std::size_t i = 0; i != own.size(); ++i) {
                own[i] = cache.allocate(i);
            }
            threads.emplace_back([&cache, own = std::move(own)] {
                for (std::size_t i = 0; i != own.size(); ++i) {
                    ASSERT_EQ(own[i]->value, i);
                    i % 2 == 0 ? cache.free(own[i]) : cache.free_rcu(own[i]);
                }
            });
        }
        const cache_token ended = cache.destroy();
        threads.clear();
        ASSERT_TRUE(ended.wait_for(10'000));
    } while (std::chrono::steady_clock::now() < end);
}

}  // namespace
