// Large blocks, and free_rcu of what is told apart by its address.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "quiesce/large_block.hpp"
#include "tsan_tests/cache_support.hpp"
#include "tsan_tests/domain_kinds.hpp"

namespace {

using namespace quiesce::tests;
using quiesce::allocate_large;
using quiesce::destroy_strategy;
using quiesce::free_large;
using quiesce::free_large_rcu;
using quiesce::free_rcu;
using quiesce::misuse;
using quiesce::object_cache;
using quiesce::try_free_large_rcu;
using quiesce::try_free_rcu;

constexpr std::size_t page = quiesce::native_platform::limits().page_bytes;

template <class P>
class LargeBlockOf : public CacheTestOf<P> {
protected:
    std::uint64_t blocks() { return this->domain.large_blocks().blocks; }

    static void expect(misuse kind, const std::string& call) {
        const std::vector<kept_report> found = kept_reports::take();
        ASSERT_EQ(found.size(), 1U);
        EXPECT_STREQ(describe(found[0].kind), describe(kind));
        EXPECT_EQ(found[0].call, call);
    }
};

TYPED_TEST_SUITE(LargeBlockOf, domain_kinds, domain_kind_name);
using LargeBlock = LargeBlockOf<quiesce::native_platform>;

TYPED_TEST(LargeBlockOf, IsWholePagesOfZeros) {
    for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, page, page + 1, 100 * page}) {
        auto* const block = static_cast<unsigned char*>(allocate_large(bytes, this->domain));
        ASSERT_NE(block, nullptr);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % page, 0U);
        const std::size_t whole = bytes == 0 ? page : (bytes + page - 1) / page * page;
        EXPECT_EQ(this->domain.large_blocks().bytes, whole);
        for (std::size_t i = 0; i != whole; ++i) {
            ASSERT_EQ(block[i], 0);
        }
        std::memset(block, 0xff, whole);
        free_large(block, this->domain);
        EXPECT_EQ(this->blocks(), 0U);
    }
}

TYPED_TEST(LargeBlockOf, OfMoreThanThereIsIsNull) {
    EXPECT_EQ(allocate_large(~std::size_t{0}, this->domain), nullptr);
    EXPECT_EQ(allocate_large(std::size_t{1} << 62, this->domain), nullptr);
    EXPECT_EQ(this->blocks(), 0U);
}

TYPED_TEST(LargeBlockOf, ManyAreFoundWhicheverGoFirst) {
    constexpr std::size_t many = 1000;
    std::vector<void*> all(many);
    for (void*& block : all) {
        block = allocate_large(page, this->domain);
    }
    EXPECT_EQ(this->blocks(), many);
    for (std::size_t i = 0; i != many; ++i) {
        free_rcu(all[(i * 7) % many], this->domain);
    }
    this->domain.free_rcu_barrier();
    EXPECT_EQ(this->blocks(), 0U);
}

TEST_F(LargeBlock, IsFreedAfterItsReaders) {
    void* const block = allocate_large(page, domain);
    reader in_the_way(domain);
    free_large_rcu(block, domain);
    domain.hurry();
    std::this_thread::sleep_for(20ms);
    EXPECT_EQ(blocks(), 1U);
    *static_cast<volatile char*>(block) = 1;
    in_the_way.leave();
    domain.free_rcu_barrier();
    EXPECT_EQ(blocks(), 0U);
}

TEST_F(LargeBlock, FreesOfManyThreadsAreCoveredByTheBarrier) {
    std::vector<std::jthread> threads;
    for (int i = 0; i != 4; ++i) {
        threads.emplace_back([this] {
            for (int n = 0; n != block + 10; ++n) {
                free_large_rcu(allocate_large(page, domain), domain);
            }
        });
    }
    threads.clear();
    domain.free_rcu_barrier();
    EXPECT_EQ(blocks(), 0U);
    EXPECT_EQ(domain.backlog(), 0U);
}

TYPED_TEST(LargeBlockOf, NullIsNothing) {
    free_large(nullptr, this->domain);
    free_large_rcu(nullptr, this->domain);
    EXPECT_TRUE(try_free_large_rcu(nullptr, this->domain));
    void* const nothing = nullptr;
    free_rcu(nothing, this->domain);
    EXPECT_TRUE(try_free_rcu(nothing, this->domain));
}

TYPED_TEST(LargeBlockOf, MayBeTriedInASection) {
    {
        const std::scoped_lock section(this->domain);
        EXPECT_TRUE(try_free_large_rcu(allocate_large(page, this->domain), this->domain));
        EXPECT_TRUE(try_free_rcu(allocate_large(page, this->domain), this->domain));
    }
    this->domain.free_rcu_barrier();
    EXPECT_EQ(this->blocks(), 0U);
}

TYPED_TEST(LargeBlockOf, FreedNowAndNotKnownIsReported) {
    alignas(page) static std::array<char, 2 * page> elsewhere;
    char* const block = static_cast<char*>(allocate_large(2 * page, this->domain));
    free_large(elsewhere.data(), this->domain);
    this->expect(misuse::free_of_unknown_address, "free_large");
    free_large(block + page, this->domain);
    this->expect(misuse::free_of_unknown_address, "free_large");
    free_large(block + 8, this->domain);
    this->expect(misuse::free_of_unknown_address, "free_large");
    free_rcu(static_cast<void*>(elsewhere.data()), this->domain);
    this->expect(misuse::free_of_unknown_address, "free_rcu");
    EXPECT_TRUE(try_free_rcu(static_cast<void*>(block + page), this->domain));
    this->expect(misuse::free_of_unknown_address, "try_free_rcu");
    free_large(block, this->domain);
    free_large(block, this->domain);
    this->expect(misuse::free_of_unknown_address, "free_large");
}

TEST_F(LargeBlock, FreedTwiceAfterAGracePeriodIsReportedAndFreedOnce) {
    void* const block = allocate_large(page, domain);
    reader in_the_way(domain);
    free_large_rcu(block, domain);
    free_large_rcu(block, domain);
    in_the_way.leave();
    domain.free_rcu_barrier();
    expect(misuse::free_of_unknown_address, "free_rcu");
    EXPECT_EQ(blocks(), 0U);
}

TYPED_TEST(LargeBlockOf, LeftWhenItsDomainIsDestroyedIsReported) {
    void* block = nullptr;
    {
        quiesce::basic_rcu_domain<TypeParam> other;
        block = allocate_large(page, other);
        free_large(block, this->domain);
        this->expect(misuse::free_of_unknown_address, "free_large");
        free_large(block, other);
        block = allocate_large(page, other);
    }
    this->expect(misuse::domain_destroyed_with_large_blocks, "~rcu_domain");
}

#if QUIESCE_CHECKED
TYPED_TEST(LargeBlockOf, FreeRcuInASectionIsMisuseAndDoesNothing) {
    void* const block = allocate_large(page, this->domain);
    {
        const std::scoped_lock section(this->domain);
        free_large_rcu(block, this->domain);
    }
    this->expect(misuse::free_rcu_in_section, "free_large_rcu");
    this->domain.free_rcu_barrier();
    EXPECT_EQ(this->blocks(), 1U);
    free_large(block, this->domain);
}
#endif

template <class P>
class FreeByAddressOf : public LargeBlockOf<P> {};
TYPED_TEST_SUITE(FreeByAddressOf, domain_kinds, domain_kind_name);
using FreeByAddress = FreeByAddressOf<quiesce::native_platform>;

TYPED_TEST(FreeByAddressOf, AnObjectGoesBackToItsCacheAndIsDestructed) {
    object_cache<headless, TypeParam> one({.name = "one"}, this->domain);
    object_cache<std::array<char, 200'000>, TypeParam> huge({.name = "huge"}, this->domain);
    std::vector<headless*> objects;
    for (int i = 0; i != 3 * block; ++i) {
        objects.push_back(one.allocate(this->deleted));
    }
    for (headless* const o : objects) {
        free_rcu(static_cast<void*>(o), this->domain);
        free_rcu(allocate_large(1, this->domain), this->domain);
    }
    free_rcu(static_cast<void*>(huge.allocate()), this->domain);
    this->domain.free_rcu_barrier();
    EXPECT_EQ(this->deleted, 3 * block);
    EXPECT_EQ(this->blocks(), 0U);
    for (const quiesce::cache_usage& u : this->domain.caches()) {
        EXPECT_EQ(u.in_use, 0U);
        EXPECT_EQ(u.in_flight, 0U);
    }
}

TYPED_TEST(FreeByAddressOf, TheMiddleOfAnObjectIsNoObject) {
    object_cache<std::array<char, 64>, TypeParam> cache({.name = "objects"}, this->domain);
    auto* const object = cache.allocate();
    free_rcu(static_cast<void*>(object->data() + 8), this->domain);
    this->expect(misuse::free_of_unknown_address, "free_rcu");
    free_rcu(static_cast<void*>(object), this->domain);
    this->domain.free_rcu_barrier();
    EXPECT_EQ(cache.usage().in_use, 0U);
}

TYPED_TEST(FreeByAddressOf, IsLegalAfterDestroy) {
    object_cache<headless, TypeParam> cache({.name = "objects", .on_destroy = destroy_strategy::last_free},
                                            this->domain);
    headless* const object = cache.allocate(this->deleted);
    const auto end = cache.destroy();
    free_rcu(static_cast<void*>(object), this->domain);
    end.wait();
    EXPECT_EQ(this->deleted, 1);
}

TYPED_TEST(FreeByAddressOf, ACacheMayStayUnknown) {
    object_cache<headless, TypeParam> cache({.name = "objects", .by_address = false}, this->domain);
    headless* const object = cache.allocate(this->deleted);
    free_rcu(static_cast<void*>(object), this->domain);
    this->expect(misuse::free_of_unknown_address, "free_rcu");
    cache.free(object);
}

TYPED_TEST(FreeByAddressOf, SlabsThatWereGivenBackAreForgotten) {
    for (int round = 0; round != 20; ++round) {
        object_cache<std::array<char, 1000>, TypeParam> cache({.name = "objects"}, this->domain);
        std::vector<void*> objects(1000);
        for (void*& o : objects) {
            o = cache.allocate();
        }
        for (void* const o : objects) {
            free_rcu(o, this->domain);
        }
        this->domain.free_rcu_barrier();
        quiesce::shrink(this->domain);
        EXPECT_EQ(cache.usage().slabs, 0U);
    }
}

TEST_F(FreeByAddress, ThreadsMixAllKinds) {
    object_cache<headless> cache({.name = "objects"}, domain);
    constexpr int each = 2000;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t != 3; ++t) {
            threads.emplace_back([&] {
                for (int i = 0; i != each; ++i) {
                    free_rcu(static_cast<void*>(cache.allocate(deleted)), domain);
                    free_rcu(allocate_large(page, domain), domain);
                    defer<headed>(1, deleted, domain);
                    defer<headless>(1, deleted, domain);
                    if (i % 500 == 0) {
                        quiesce::shrink(domain);
                    }
                }
            });
        }
    }
    domain.free_rcu_barrier();
    EXPECT_EQ(deleted, 3 * 3 * each);
    EXPECT_EQ(blocks(), 0U);
    EXPECT_EQ(cache.usage().in_use, 0U);
}

}  // namespace
