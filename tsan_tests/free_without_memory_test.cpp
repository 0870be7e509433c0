// free_rcu where memory, or a thread, cannot be had.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <new>
#include <optional>
#include <thread>
#include <vector>

#include "quiesce/object_cache.hpp"
#include "quiesce/rcu_array.hpp"
#include "tsan_tests/refused_memory.hpp"
#include "tsan_tests/stall_support.hpp"

namespace {

using namespace quiesce::tests;
using quiesce::free_rcu;
using quiesce::object_cache;
using quiesce::rcu_domain;
using quiesce::try_free_rcu;

TYPED_TEST_SUITE(FreeWithoutMemoryOf, domain_kinds, domain_kind_name);

TEST_F(FreeWithoutMemory, WaitsForAGracePeriodAndDeletesTheObjectBeforeItReturns) {
    auto* const object = new headless(deleted);
    reader in_the_way(domain);
    const std::jthread leaver = in_the_way.leave_after(20ms);
    without(refused::everything, [&] { free_rcu(object, to_delete(), domain); });
    EXPECT_TRUE(in_the_way.left());
    EXPECT_EQ(deleted, 1);
}

// The reader waits for a lock of the caller, which waits for the reader: nobody goes on until somebody is told who it
// is.
TEST_F(FreeWithoutMemory, WaitingUnderALockThatAReaderTakesIsReportedWithTheReader) {
    struct told {
        rcu_domain& of;
        std::atomic<std::uint32_t> reader{0};
        std::atomic<bool> caches_listed{true};
    } told{domain};
    object_cache<int> cache({.name = "objects"}, domain);
    domain.stop_driver();  // so that the caller looks, which has memory neither for a list of caches nor for a mark
    domain.report_stalls({20,
                          [](const quiesce::stall_report& r, void* context) noexcept {
                              auto* const t = static_cast<struct told*>(context);
                              t->caches_listed = r.caches_listed;
                              t->reader = r.readers[0].thread;
                              t->of.report_stalls({});  // waits for no handler, being one
                          },
                          &told,
                          {}});
    auto* const object = new headless(deleted);
    std::timed_mutex lock;
    std::unique_lock held(lock);
    const reader_of_a_lock reads(domain, lock, [&told] { return told.reader != 0; });
    without(refused::everything, [&] { free_rcu(object, to_delete(), domain); });
    EXPECT_EQ(deleted, 1);
    EXPECT_EQ(told.reader, reads.number());
    EXPECT_FALSE(told.caches_listed);
}

TYPED_TEST(FreeWithoutMemoryOf, TheTryReturnsFalseAndDoesNothing) {
    auto* const object = new headless(this->deleted);
    EXPECT_FALSE(this->without(refused::everything,
                               [&] { return try_free_rcu(object, typename TestFixture::to_delete(), this->domain); }));
    this->domain.free_rcu_barrier();
    EXPECT_EQ(this->deleted, 0);
    EXPECT_TRUE(try_free_rcu(object, typename TestFixture::to_delete(), this->domain));
    this->domain.free_rcu_barrier();
    EXPECT_EQ(this->deleted, 1);
}

TYPED_TEST(FreeWithoutMemoryOf, TheTryReturnsFalseAtTheEndOfABlockAndKeepsTheBlock) {
    this->domain.stop_driver();  // takes nothing from the block meanwhile
    auto* const object = new headless(this->deleted);
    defer<headless>(block, this->deleted, this->domain);
    EXPECT_FALSE(this->without(refused::everything,
                               [&] { return try_free_rcu(object, typename TestFixture::to_delete(), this->domain); }));
    EXPECT_TRUE(this->domain.monitor_step());
    EXPECT_EQ(this->domain.advance_grace_period(), quiesce::step_result::completed);
    EXPECT_EQ(this->domain.free_step(), 1U);
    EXPECT_EQ(this->deleted, block);
    delete object;
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

TYPED_TEST(FreeWithoutMemoryOf, ALargeBlockIsFreedInTheCallWhereNothingElseCanBeHad) {
    void* const large = this->domain.allocate_large(1);
    std::thread([&] {  // has no array
        this->without(refused::everything, [&] {
            EXPECT_FALSE(this->domain.try_free_large_rcu(large));
            this->domain.free_large_rcu(large);
        });
    })
        .join();
    EXPECT_EQ(this->domain.large_blocks().blocks, 0U);
}

// Every allocation of the library, one after the other.

TYPED_TEST(FreeWithoutMemoryOf, AnyOneAllocationMayFail) {
    struct node : headless {
        using headless::headless;
    };
    unsigned tried = 0;
    for (bool reached = true; reached; ++tried) {
        this->deleted = 0;
        int given = 0;
        std::vector<headless*> plain;
        std::vector<headed_of<TypeParam>*> heads;
        for (int i = 0; i != block + 2; ++i) {
            plain.push_back(new headless(this->deleted));
            heads.push_back(new headed_of<TypeParam>(this->deleted));
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
            std::optional<quiesce::basic_rcu_domain<TypeParam>> d;
            if (attempt([&] { d.emplace(); })) {
                std::unique_ptr<object_cache<node, TypeParam>> cache;
                (void)attempt([&] {
                    cache = std::make_unique<object_cache<node, TypeParam>>(
                        quiesce::object_cache_options{.name = "nodes", .on_destroy = quiesce::destroy_strategy::async},
                        *d);
                });
                quiesce::rcu_array<int, TypeParam> array(*d);
                for (int i = 0; i != block + 2; ++i) {
                    // What throws has deferred the object, and could not start the driver.
                    (void)attempt(
                        [&] { free_rcu(plain[static_cast<std::size_t>(i)], typename TestFixture::to_delete(), *d); });
                    (void)attempt([&] {
                        free_rcu(heads[static_cast<std::size_t>(i)], std::default_delete<headed_of<TypeParam>>(), *d);
                    });
                    given += 2;
                    node* n = nullptr;
                    if (cache && attempt([&] { n = cache->allocate(this->deleted); })) {
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
                EXPECT_EQ(this->deleted, given) << "allocation " << tried;
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
                for (headed_of<TypeParam>* const h : heads) {
                    delete h;
                }
            }
        }
    }
    EXPECT_GT(tried, 20U);
}

}  // namespace
