// Caches where memory, or a thread, cannot be had.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#include "quiesce/object_cache.hpp"
#include "quiesce/staged_cache.hpp"
#include "tsan_tests/refused_memory.hpp"

namespace {

using namespace quiesce::tests;
using quiesce::cache_free;
using quiesce::destroy_strategy;
using quiesce::object_cache;
using quiesce::rcu_domain;

class CacheWithoutMemory : public FreeWithoutMemory {};

TEST_F(CacheWithoutMemory, ACacheThatCannotBeMadeLeavesNothingBehind) {
    for (const refused what : {refused::threads, refused::everything}) {
        EXPECT_TRUE(fails_without(what, [&] {
            const object_cache<headless> cache({.name = "objects", .on_destroy = destroy_strategy::async}, domain);
        }));
        EXPECT_TRUE(domain.caches().empty());
    }
    const object_cache<headless> cache({.name = "objects"}, domain);
}

TEST_F(CacheWithoutMemory, AllocatingFromACacheThrowsAndMayBeRepeated) {
    object_cache<headless> cache({.name = "objects"}, domain);
    EXPECT_TRUE(fails_without(refused::everything, [&] { (void)cache.allocate(deleted); }));
    EXPECT_EQ(cache.usage().slabs, 0U);
    headless* const first = cache.allocate(deleted);
    // What the slab has left needs no memory, also where there is none for a magazine.
    std::thread([&] { without(refused::everything, [&] { cache.free(cache.allocate(deleted)); }); }).join();
    cache.free(first);
    EXPECT_EQ(deleted, 2);
}

TEST_F(CacheWithoutMemory, ACacheTakesObjectsBackAndEndsWithoutAny) {
    constexpr int count = 500;
    for (const destroy_strategy strategy :
         {destroy_strategy::wait, destroy_strategy::async, destroy_strategy::last_free}) {
        deleted = 0;
        object_cache<headless> cache({.name = "objects", .on_destroy = strategy}, domain);
        std::vector<headless*> objects(std::size_t{2} * count);
        for (headless*& object : objects) {
            object = cache.allocate(deleted);
        }
        std::thread([&] {  // has no magazines
            without(refused::everything, [&] {
                for (int i = 0; i != count; ++i) {
                    cache.free(objects[static_cast<std::size_t>(i)]);
                }
            });
        })
            .join();
        EXPECT_EQ(deleted, count);
        EXPECT_EQ(cache.usage().in_use, static_cast<std::uint64_t>(count));
        for (int i = count; i != 2 * count; ++i) {
            cache.free_rcu(objects[static_cast<std::size_t>(i)]);
        }
        without(refused::everything, [&] { cache.destroy().wait(); });
        EXPECT_EQ(deleted, 2 * count);
    }
}

// It is held for good then, and in flight no more.
TEST_F(CacheWithoutMemory, FreeRcuInASectionIsMisuseAndLeavesTheObjectHeld) {
    static std::vector<quiesce::misuse> found;
    found = {};
    found.reserve(2);
    quiesce::set_report_handler([](const quiesce::misuse_report& r) { found.push_back(r.kind); });
    object_cache<headless> cache({.name = "objects"}, domain);
    headless* const object = cache.allocate(deleted);
    std::thread([&] {  // has no array
        const std::scoped_lock section(domain);
        without(refused::everything, [&] { cache.free_rcu(object); });
    })
        .join();
    EXPECT_EQ(cache.usage().in_flight, 0U);
    const auto end = cache.destroy();
    quiesce::set_report_handler(nullptr);
    EXPECT_EQ(found, (std::vector{quiesce::misuse::free_rcu_in_section, quiesce::misuse::objects_held_at_destroy}));
    EXPECT_EQ(deleted, 0);
    cache_free(object);
    end.wait();
}

TEST_F(CacheWithoutMemory, FreeRcuWaitsForAGracePeriod) {
    object_cache<headless> cache({.name = "objects"}, domain);
    headless* const object = cache.allocate(deleted);
    reader in_the_way(domain);
    const std::jthread leaver = in_the_way.leave_after(20ms);
    std::thread([&] {  // has no array
        without(refused::everything, [&] {
            EXPECT_FALSE(cache.try_free_rcu(object));
            EXPECT_EQ(deleted, 0);
            cache.free_rcu(object);
        });
        EXPECT_TRUE(in_the_way.left());
        EXPECT_EQ(deleted, 1);
    })
        .join();
    EXPECT_EQ(cache.usage().in_use, 0U);
    EXPECT_EQ(cache.usage().in_flight, 0U);
}

class StagedWithoutMemory : public FreeWithoutMemory {
protected:
    static quiesce::staged_cache_options options() {
        quiesce::staged_cache_options o;
        o.name = "objects";
        o.size = sizeof(std::atomic<int>*);
        o.alignment = alignof(std::atomic<int>*);
        o.destruct = [](void* object) { (*static_cast<std::atomic<int>**>(object))->fetch_add(1); };
        return o;
    }

    void* allocate_from(quiesce::staged_cache& cache) {
        void* const memory = cache.allocate();
        if (memory != nullptr) {
            ::new (memory) std::atomic<int>*(&returned);
        }
        return memory;
    }

    std::atomic<int> returned{0};
    rcu_domain tasks;
};

TEST_F(StagedWithoutMemory, ACacheThatCannotBeMadeLeavesNothingBehind) {
    tasks.start_poll();
    domain.start_poll();
    refuse = refused::everything;
    EXPECT_THROW(quiesce::staged_cache(domain, tasks, options()), std::bad_alloc);
    refuse = refused::nothing;
    quiesce::staged_cache(domain, tasks, options()).destroy().wait();
}

TEST_F(StagedWithoutMemory, AllocationReturnsNullAndMayBeRepeated) {
    quiesce::staged_cache cache(domain, tasks, options());
    refuse = refused::everything;
    EXPECT_EQ(allocate_from(cache), nullptr);
    EXPECT_EQ(allocate_from(cache), nullptr);
    refuse = refused::nothing;
    void* const object = allocate_from(cache);
    EXPECT_NE(object, nullptr);
    cache.free(object);
    EXPECT_EQ(returned, 1);
}

TEST_F(StagedWithoutMemory, NeitherFreeNeedsAny) {
    quiesce::staged_cache cache(domain, tasks, options());
    std::vector<void*> objects(500);
    for (void*& object : objects) {
        object = allocate_from(cache);
    }
    refuse = refused::everything;
    for (std::size_t i = 0; i != objects.size(); ++i) {
        i % 2 == 0 ? cache.free(objects[i]) : cache.free_rcu(objects[i]);
    }
    refuse = refused::nothing;
    EXPECT_TRUE(eventually([&] { return returned == 500; }));
}

TEST_F(StagedWithoutMemory, WhoeverFindsNoThreadForTheEndTakesItsSteps) {
    for (const quiesce::staged_destroy how : {quiesce::staged_destroy::order, quiesce::staged_destroy::draining}) {
        rcu_domain first;
        quiesce::staged_cache_options o = options();
        o.on_destroy = how;
        quiesce::staged_cache cache(first, tasks, o);
        returned = 0;
        refuse = refused::threads;
        // Asks for a refill, which has to wait for a thread too.
        cache.free_rcu(allocate_from(cache));
        const quiesce::staged_cache_token end = cache.destroy();
        refuse = refused::nothing;
        EXPECT_EQ(returned, 1);
        end.wait();
    }
}

TEST_F(StagedWithoutMemory, FlushAllNeedsNeitherMemoryNorAThread) {
    for (const refused what : {refused::threads, refused::everything}) {
        rcu_domain first;
        quiesce::staged_cache cache(first, tasks, options());
        std::vector<void*> objects(500);
        refuse = refused::threads;
        for (void*& object : objects) {
            object = allocate_from(cache);
        }
        returned = 0;
        refuse = what;
        for (std::size_t i = 0; i != objects.size(); ++i) {
            i % 2 == 0 ? cache.free(objects[i]) : cache.free_rcu(objects[i]);
        }
        first.flush_all();
        refuse = refused::nothing;
        EXPECT_EQ(returned, 500);
        EXPECT_EQ(cache.usage().in_flight, 0U);
    }
}

}  // namespace
