// free_rcu and caches where memory, or a thread, cannot be had. An executable of its own, because it replaces operator
// new.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <mutex>
#include <new>
#include <optional>
#include <thread>
#include <vector>

#include "quiesce/object_cache.hpp"
#include "quiesce/rcu_array.hpp"
#include "quiesce/staged_cache.hpp"
#include "tsan_tests/free_rcu_support.hpp"

namespace {

/// What the calling thread is refused. Starting a thread takes the operator that throws; free_rcu takes only the one
/// that does not. A block of addresses is large, the wrapper of one is small; `one` is the allocation that comes after
/// so many others.
enum class refused { nothing, threads, blocks, one, everything };
thread_local refused refuse = refused::nothing;
thread_local unsigned allocations_before = 0;
thread_local unsigned refusals = 0;

bool is_refused(std::size_t bytes, bool throwing) noexcept {
    bool now = false;
    switch (refuse) {
        case refused::nothing: break;
        case refused::threads: now = throwing; break;
        case refused::blocks: now = bytes > 1024; break;
        case refused::one: now = allocations_before-- == 0; break;
        case refused::everything: now = true; break;
    }
    refusals += now ? 1 : 0;
    return now;
}

void* allocate(std::size_t bytes, std::size_t alignment) noexcept {
    return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

}  // namespace

// Not inline, or the compiler takes what only one of a pair is inlined for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
    void* const memory = is_refused(bytes, true) ? nullptr : std::malloc(bytes);
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    return memory;
}
[[gnu::noinline]] void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
    return is_refused(bytes, false) ? nullptr : std::malloc(bytes);
}
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t alignment) {
    void* const memory = is_refused(bytes, true) ? nullptr : allocate(bytes, static_cast<std::size_t>(alignment));
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    return memory;
}
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    return is_refused(bytes, false) ? nullptr : allocate(bytes, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}

namespace {

using namespace quiesce::tests;
using quiesce::cache_free;
using quiesce::destroy_strategy;
using quiesce::free_rcu;
using quiesce::object_cache;
using quiesce::rcu_domain;
using quiesce::try_free_rcu;

class FreeWithoutMemory : public testing::Test {
protected:
    using to_delete = std::default_delete<headless>;

    // Where it is not about the reserve, there is none.
    FreeWithoutMemory() { domain.keep_reserve(0); }

    // Makes a call while the calling thread is refused something.
    template <class Call>
    static auto without(refused what, Call call) {
        struct restore {
            ~restore() { refuse = refused::nothing; }
        } const at_the_end;
        refuse = what;
        return call();
    }

    template <class Call>
    static bool fails_without(refused what, Call call) {
        try {
            without(what, call);
        } catch (const std::bad_alloc&) {
            return true;
        }
        return false;
    }

    std::atomic<int> deleted{0};
    rcu_domain domain;
};

TEST_F(FreeWithoutMemory, WaitsForAGracePeriodAndDeletesTheObjectBeforeItReturns) {
    auto* const object = new headless(deleted);
    reader in_the_way(domain);
    const std::jthread leaver = in_the_way.leave_after(20ms);
    without(refused::everything, [&] { free_rcu(object, to_delete(), domain); });
    EXPECT_TRUE(in_the_way.left());
    EXPECT_EQ(deleted, 1);
}

TEST_F(FreeWithoutMemory, TheTryReturnsFalseAndDoesNothing) {
    auto* const object = new headless(deleted);
    EXPECT_FALSE(without(refused::everything, [&] { return try_free_rcu(object, to_delete(), domain); }));
    domain.free_rcu_barrier();
    EXPECT_EQ(deleted, 0);
    EXPECT_TRUE(try_free_rcu(object, to_delete(), domain));
    domain.free_rcu_barrier();
    EXPECT_EQ(deleted, 1);
}

TEST_F(FreeWithoutMemory, TheTryReturnsFalseAtTheEndOfABlockAndKeepsTheBlock) {
    domain.stop_driver();  // takes nothing from the block meanwhile
    auto* const object = new headless(deleted);
    defer<headless>(block, deleted, domain);
    EXPECT_FALSE(without(refused::everything, [&] { return try_free_rcu(object, to_delete(), domain); }));
    EXPECT_TRUE(domain.monitor_step());
    EXPECT_EQ(domain.advance_grace_period(), quiesce::step_result::completed);
    EXPECT_EQ(domain.free_step(), 1U);
    EXPECT_EQ(deleted, block);
    to_delete()(object);
}

TEST_F(FreeWithoutMemory, NothingIsLostWhenMemoryComesAndGoes) {
    constexpr int each = 100;
    for (int round = 1; round != 21; ++round) {
        std::vector<headless*> objects;
        std::vector<headed*> heads;
        for (int i = 0; i != each; ++i) {
            objects.push_back(new headless(deleted));
            heads.push_back(new headed(deleted));
        }
        without(round % 2 == 0 ? refused::everything : refused::nothing, [&] {
            for (int i = 0; i != each; ++i) {
                free_rcu(objects[static_cast<std::size_t>(i)], to_delete(), domain);
                free_rcu(heads[static_cast<std::size_t>(i)], std::default_delete<headed>(), domain);
            }
        });
        if (round % 5 == 0) {
            domain.free_rcu_barrier();
            EXPECT_EQ(deleted, round * 2 * each);
        }
    }
}

TEST_F(FreeWithoutMemory, AHeadNeedsNoneOnceTheDriverRuns) {
    defer<headed>(1, deleted, domain);
    std::vector<headed*> heads(std::size_t{3} * block);
    for (headed*& h : heads) {
        h = new headed(deleted);
    }
    std::thread([&] {  // has no array either
        without(refused::everything, [&] {
            for (headed* const h : heads) {
                free_rcu(h, std::default_delete<headed>(), domain);
            }
        });
    })
        .join();
    domain.free_rcu_barrier();
    EXPECT_EQ(deleted, 3 * block + 1);
}

TEST_F(FreeWithoutMemory, ADeleterWaitsForAGracePeriodToo) {
    struct parent : headless {
        parent(std::atomic<int>& count, rcu_domain& d) : headless(count), home(&d), child(new headless(count)) {}
        ~parent() {
            without(refused::everything, [this] { free_rcu(child, to_delete(), *home); });
            EXPECT_EQ(*deleted, 1);
        }
        rcu_domain* home;
        headless* child;
    };
    free_rcu(new parent(deleted, domain), std::default_delete<parent>(), domain);
    domain.free_rcu_barrier();
    EXPECT_EQ(deleted, 2);
}

TEST_F(FreeWithoutMemory, AHeadIsDeferredAllTheSameWhenTheDriverCannotStart) {
    auto* const object = new headed(deleted);
    EXPECT_TRUE(fails_without(refused::everything, [&] { free_rcu(object, std::default_delete<headed>(), domain); }));
    domain.free_rcu_barrier();
    EXPECT_EQ(deleted, 1);
}

TEST_F(FreeWithoutMemory, TheNextCallStartsTheDriverThatCouldNotStart) {
    auto* const object = new headless(deleted);
    EXPECT_TRUE(fails_without(refused::threads, [&] { free_rcu(object, to_delete(), domain); }));
    domain.hurry();
    EXPECT_TRUE(eventually([&] { return deleted == 1; }));
}

TEST_F(FreeWithoutMemory, EveryObjectIsDeferredAllTheSameWhenTheDriverCannotStart) {
    for (int i = 0; i != 2 * block + 1; ++i) {
        auto* const object = new headless(deleted);
        (void)fails_without(refused::threads, [&] { free_rcu(object, to_delete(), domain); });
    }
    domain.free_rcu_barrier();
    EXPECT_EQ(deleted, 2 * block + 1);
}

TEST_F(FreeWithoutMemory, ABarrierThatCouldNotStartTheDriverMayBeRepeated) {
    auto* const object = new headless(deleted);
    EXPECT_TRUE(fails_without(refused::threads, [&] { free_rcu(object, to_delete(), domain); }));
    EXPECT_TRUE(fails_without(refused::threads, [&] { domain.free_rcu_barrier(); }));
    domain.free_rcu_barrier();
    EXPECT_EQ(deleted, 1);
}

TEST_F(FreeWithoutMemory, AForkAfterWhichTheDriverCannotStartAgainLeavesThatToTheNextCall) {
    defer<headless>(1, deleted, domain);
    domain.free_rcu_barrier();
    const pid_t child = without(refused::threads, [] { return ::fork(); });
    if (child == 0) {
        ::_exit(0);
    }
    EXPECT_EQ(::waitpid(child, nullptr, 0), child);
    defer<headless>(1, deleted, domain);
    domain.hurry();
    EXPECT_TRUE(eventually([&] { return deleted == 2; }));
}

// The reserve.

TEST_F(FreeWithoutMemory, TheReserveServesUntilItIsUsedUp) {
    domain.stop_driver();
    domain.keep_reserve(2);
    defer<headless>(1, deleted, domain);  // so that the thread has an array
    std::vector<headless*> objects;
    for (int i = 0; i != 3 * block; ++i) {
        objects.push_back(new headless(deleted));
    }
    headless* const over = objects.back();
    objects.pop_back();
    {
        const std::scoped_lock section(domain);
        without(refused::everything, [&] {
            for (headless* const object : objects) {
                EXPECT_TRUE(try_free_rcu(object, to_delete(), domain));
            }
            EXPECT_FALSE(try_free_rcu(over, to_delete(), domain));
        });
    }
    EXPECT_EQ(domain.reserve(), 0U);
    domain.free_rcu_barrier();
    EXPECT_EQ(deleted, 3 * block);
    EXPECT_EQ(domain.reserve(), 2U);  // by the blocks that were emptied
    delete over;
}

TEST_F(FreeWithoutMemory, TheDriverFillsTheReserveAgain) {
    domain.keep_reserve(4);
    domain.shrink();
    EXPECT_TRUE(eventually([&] { return domain.reserve() == 4; }));
}

TEST_F(FreeWithoutMemory, AReserveThatCannotBeMadeIsMadeLaterAndLessAndLessOftenTried) {
    domain.stop_driver();
    without(refused::everything, [&] { domain.keep_reserve(3); });
    EXPECT_EQ(domain.reserve(), 0U);
    domain.hurry();
    refusals = 0;
    without(refused::everything, [&] {
        for (int step = 0; step != 1000; ++step) {
            (void)domain.monitor_step();
        }
    });
    EXPECT_GE(refusals, 5U);
    EXPECT_LE(refusals, 14U);
    for (int step = 0; step != 300 && domain.reserve() != 3; ++step) {
        (void)domain.monitor_step();
    }
    EXPECT_EQ(domain.reserve(), 3U);
    (void)domain.monitor_step();
    EXPECT_EQ(domain.monitor(), quiesce::detail::monitor_state::idle);
}

TEST_F(FreeWithoutMemory, ShrinkNeedsNoMemoryAndThrowsNothing) {
    domain.keep_reserve(4);
    object_cache<headless> cache({.name = "objects"}, domain);
    cache.free(cache.allocate(deleted));
    without(refused::everything, [&] { domain.shrink(); });
    EXPECT_EQ(domain.reserve(), 0U);
    EXPECT_EQ(cache.usage().slabs, 0U);
}

// The wrapper.

TEST_F(FreeWithoutMemory, AWrapperIsEnoughNotToWait) {
    auto* const object = new headless(deleted);
    auto* const tried = new headless(deleted);
    void* const large = domain.allocate_large(1);
    reader in_the_way(domain);
    without(refused::blocks, [&] {
        free_rcu(object, to_delete(), domain);
        EXPECT_TRUE(try_free_rcu(tried, to_delete(), domain));
        domain.free_large_rcu(large);
    });
    domain.hurry();
    std::this_thread::sleep_for(20ms);
    EXPECT_EQ(deleted, 0);
    EXPECT_EQ(domain.large_blocks().blocks, 1U);
    in_the_way.leave();
    domain.free_rcu_barrier();
    EXPECT_EQ(deleted, 2);
    EXPECT_EQ(domain.large_blocks().blocks, 0U);
}

TEST_F(FreeWithoutMemory, WrappedObjectsGoBackToTheirCache) {
    object_cache<headless> cache({.name = "objects"}, domain);
    constexpr int count = 500;
    std::vector<headless*> objects(count);
    for (headless*& object : objects) {
        object = cache.allocate(deleted);
    }
    std::thread([&] {  // has no array
        without(refused::blocks, [&] {
            for (headless* const object : objects) {
                cache.free_rcu(object);
            }
        });
    })
        .join();
    domain.free_rcu_barrier();
    EXPECT_EQ(deleted, count);
    EXPECT_EQ(cache.usage().in_use, 0U);
    EXPECT_EQ(cache.usage().in_flight, 0U);
}

TEST_F(FreeWithoutMemory, ALargeBlockIsFreedInTheCallWhereNothingElseCanBeHad) {
    void* const large = domain.allocate_large(1);
    std::thread([&] {  // has no array
        without(refused::everything, [&] {
            EXPECT_FALSE(domain.try_free_large_rcu(large));
            domain.free_large_rcu(large);
        });
    })
        .join();
    EXPECT_EQ(domain.large_blocks().blocks, 0U);
}

// Every allocation of the library, one after the other.

TEST_F(FreeWithoutMemory, AnyOneAllocationMayFail) {
    struct node : headless {
        using headless::headless;
    };
    unsigned tried = 0;
    for (bool reached = true; reached; ++tried) {
        deleted = 0;
        int given = 0;
        std::vector<headless*> plain;
        std::vector<headed*> heads;
        for (int i = 0; i != block + 2; ++i) {
            plain.push_back(new headless(deleted));
            heads.push_back(new headed(deleted));
        }
        // Whether the call was made: it may throw before it has done anything.
        const auto attempt = [](auto call) {
            try {
                call();
                return true;
            } catch (const std::bad_alloc&) {
                return false;
            }
        };
        {
            refusals = 0;
            allocations_before = tried;
            refuse = refused::one;
            std::optional<rcu_domain> d;
            if (attempt([&] { d.emplace(); })) {
                std::optional<object_cache<node>> cache;
                (void)attempt([&] {
                    cache.emplace(quiesce::object_cache_options{.name = "nodes", .on_destroy = destroy_strategy::async},
                                  *d);
                });
                quiesce::rcu_array<int> array(*d);
                for (int i = 0; i != block + 2; ++i) {
                    // What throws has deferred the object, and could not start the driver.
                    (void)attempt([&] { free_rcu(plain[static_cast<std::size_t>(i)], to_delete(), *d); });
                    (void)attempt(
                        [&] { free_rcu(heads[static_cast<std::size_t>(i)], std::default_delete<headed>(), *d); });
                    given += 2;
                    node* n = nullptr;
                    if (cache && attempt([&] { n = cache->allocate(deleted); })) {
                        (void)attempt([&] { i % 2 == 0 ? cache->free_rcu(n) : free_rcu(static_cast<void*>(n), *d); });
                        ++given;
                    }
                    if (void* const large = d->allocate_large(1); large != nullptr) {
                        (void)attempt([&] { d->free_large_rcu(large); });
                    }
                    (void)attempt([&] { array.push_back(i); });
                    (void)attempt([&] { const std::scoped_lock section(*d); });
                }
                d->shrink();
                (void)attempt([&] { (void)d->caches(); });
                (void)attempt([&] { d->flush_all(); });
                refuse = refused::nothing;
                reached = refusals != 0;
                d->flush_all();
                EXPECT_EQ(deleted, given) << "allocation " << tried;
                EXPECT_EQ(d->backlog(), 0U);
                EXPECT_EQ(d->large_blocks().blocks, 0U);
                if (cache) {
                    cache->destroy().wait();
                }
            } else {
                refuse = refused::nothing;
                for (headless* const p : plain) {
                    delete p;
                }
                for (headed* const h : heads) {
                    delete h;
                }
            }
        }
    }
    EXPECT_GT(tried, 20U);
}

// Caches.

TEST_F(FreeWithoutMemory, ACacheThatCannotBeMadeLeavesNothingBehind) {
    for (const refused what : {refused::threads, refused::everything}) {
        EXPECT_TRUE(fails_without(what, [&] {
            const object_cache<headless> cache({.name = "objects", .on_destroy = destroy_strategy::async}, domain);
        }));
        EXPECT_TRUE(domain.caches().empty());
    }
    const object_cache<headless> cache({.name = "objects"}, domain);
}

TEST_F(FreeWithoutMemory, AllocatingFromACacheThrowsAndMayBeRepeated) {
    object_cache<headless> cache({.name = "objects"}, domain);
    EXPECT_TRUE(fails_without(refused::everything, [&] { (void)cache.allocate(deleted); }));
    EXPECT_EQ(cache.usage().slabs, 0U);
    headless* const first = cache.allocate(deleted);
    // What the slab has left needs no memory, also where there is none for a magazine.
    std::thread([&] { without(refused::everything, [&] { cache.free(cache.allocate(deleted)); }); }).join();
    cache.free(first);
    EXPECT_EQ(deleted, 2);
}

TEST_F(FreeWithoutMemory, ACacheTakesObjectsBackAndEndsWithoutAny) {
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
TEST_F(FreeWithoutMemory, FreeRcuIntoACacheInASectionIsMisuseAndLeavesTheObjectHeld) {
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

TEST_F(FreeWithoutMemory, FreeRcuIntoACacheWaitsForAGracePeriod) {
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
        EXPECT_TRUE(end.poll());
        EXPECT_EQ(returned, 1);
    }
}

}  // namespace
