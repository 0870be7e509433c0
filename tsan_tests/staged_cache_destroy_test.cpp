// How a staged cache ends: at every point in between, by both protocols.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <mutex>
#include <new>
#include <optional>
#include <thread>
#include <vector>

#include "tsan_tests/staged_cache_support.hpp"

namespace {

using namespace quiesce::tests;
using quiesce::misuse;
using quiesce::rcu_domain;
using quiesce::staged_cache;
using quiesce::staged_cache_token;
using quiesce::staged_destroy;

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
    wait_for_refills();
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
    static std::array<node*, 2> still_reachable;
    still_reachable[drains() ? 1 : 0] = held;
    EXPECT_NE(still_reachable[drains() ? 1 : 0], nullptr);
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

}  // namespace
