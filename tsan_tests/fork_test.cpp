// Fork: the child has a domain that is whole, in which the forking thread is alone.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "quiesce/object_cache.hpp"
#include "quiesce/staged_cache.hpp"
#include "tsan_tests/free_rcu_support.hpp"
#include "tsan_tests/sanitizers.hpp"
#include "tsan_tests/stall_support.hpp"

namespace {

using namespace quiesce::tests;
using quiesce::free_rcu;
using quiesce::object_cache;
using quiesce::rcu_domain;

/// Runs `in_child` in a forked process, which must return 0 in time; returns what it returned.
template <class Child>
int exit_code_of_child(Child in_child) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::alarm(20);
        ::_exit(in_child());
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class Fork : public testing::Test {
protected:
    ~Fork() override {
        domain.free_rcu_barrier();
        domain.barrier();
    }

    std::atomic<int> deleted{0};
    rcu_domain domain;

    int use_in_child() {
        return exit_code_of_child([this] {
            // What other threads have retired may be deleted here too, and counts elsewhere.
            std::atomic<int> of_the_child{0};
            defer<headless>(block + 1, of_the_child, domain);
            domain.synchronize();
            domain.free_rcu_barrier();
            domain.barrier();
            return of_the_child == block + 1 ? 0 : 1;
        });
    }
};

TEST_F(Fork, SectionsOfOtherThreadsHaveEndedInTheChild) {
    const reader elsewhere(domain);
    EXPECT_EQ(exit_code_of_child([this] {
                  domain.synchronize();
                  return 0;
              }),
              0);
}

TEST_F(Fork, TheParentGoesOn) {
    defer<headless>(block + 1, deleted, domain);
    EXPECT_EQ(exit_code_of_child([] { return 0; }), 0);
    EXPECT_TRUE(eventually([this] { return deleted == block + 1; }));
    defer<headless>(1, deleted, domain);
    domain.free_rcu_barrier();
    EXPECT_EQ(deleted, block + 2);
}

// ThreadSanitizer ends a forked child that starts a thread, as a driver.
#ifndef QUIESCE_TSAN

TEST_F(Fork, TheChildMayUseADomainThatTheParentUsed) {
    defer<headless>(block + 1, deleted, domain);
    domain.free_rcu_barrier();
    EXPECT_EQ(use_in_child(), 0);
}

TEST_F(Fork, WhatOtherThreadsDeferredIsFreedInTheChild) {
    const reader in_the_way(domain);
    std::latch deferred(1);
    std::latch leave(1);
    std::jthread other([&] {
        defer<headless>(3, deleted, domain);
        deferred.count_down();
        leave.wait();
    });
    deferred.wait();
    EXPECT_EQ(exit_code_of_child([this] {
                  domain.free_rcu_barrier();
                  return deleted == 3 ? 0 : 1;
              }),
              0);
    EXPECT_EQ(deleted, 0);
    leave.count_down();
}

TEST_F(Fork, StagedCachesEndInTheChildAndInTheParent) {
    rcu_domain tasks;
    quiesce::staged_cache_options options;
    options.name = "objects";
    quiesce::staged_cache staged(domain, tasks, options);
    options.name = "others";
    quiesce::staged_cache other(domain, tasks, options);
    {
        const reader in_first(domain);
        const reader in_tasks(tasks);
        staged.free_rcu(staged.allocate());
        std::atomic<bool> stop{false};
        // Holds a shard's lock of another cache as often as it can.
        const std::jthread busy([&] {
            while (!stop) {
                other.free(other.allocate());
            }
        });
        EXPECT_EQ(exit_code_of_child([&] {
                      const quiesce::staged_cache_token end = staged.destroy();
                      return end.wait_for(10'000) && end.poll() ? 0 : 1;
                  }),
                  0);
        stop = true;
    }
    staged.destroy().wait();
    other.destroy().wait();
}

TEST_F(Fork, FlushAllEndsInTheChildWhereThreadsWereInCallsOnStagedCaches) {
    rcu_domain tasks;
    quiesce::staged_cache staged(domain, tasks, {.name = "objects"});
    std::atomic<bool> stop{false};
    std::vector<std::jthread> busy;
    for (int i = 0; i != 2; ++i) {
        busy.emplace_back([&] {
            while (!stop) {
                staged.free_rcu(staged.allocate());
            }
        });
    }
    for (int round = 0; round != 20; ++round) {
        EXPECT_EQ(exit_code_of_child([&] {
                      quiesce::staged_cache of_the_child(domain, tasks, {.name = "others"});
                      of_the_child.free_rcu(of_the_child.allocate());
                      domain.flush_all();
                      if (of_the_child.usage().in_flight != 0) {
                          return 1;
                      }
                      of_the_child.free_rcu(of_the_child.allocate());
                      const quiesce::staged_cache_token end = of_the_child.destroy();
                      domain.flush_all();
                      return end.poll() ? 0 : 2;
                  }),
                  0);
    }
    stop = true;
    busy.clear();
    domain.flush_all();
    EXPECT_EQ(staged.usage().in_flight, 0U);
}

TEST_F(Fork, CachesAreWholeInTheChild) {
    object_cache<int> cache({.name = "numbers"}, domain);
    std::latch allocated(1);
    std::latch leave(1);
    std::jthread other([&] {
        cache.free(cache.allocate(1));
        allocated.count_down();
        leave.wait();
    });
    allocated.wait();
    int* const mine = cache.allocate(2);
    EXPECT_EQ(exit_code_of_child([&] {
                  cache.free_rcu(mine);
                  cache.free_rcu(cache.allocate(3));
                  return cache.destroy().wait_for(10'000) ? 0 : 1;
              }),
              0);
    cache.free(mine);
    leave.count_down();
}

// The domains are brought to rest one after the other.
TEST_F(Fork, ACallbackOfOneDomainMayWaitForAnother) {
    rcu_domain younger;
    for (rcu_domain* const waiting : {&younger, &domain}) {
        rcu_domain& other = waiting == &domain ? younger : domain;
        std::latch inside(1);
        int waited = 0;
        quiesce::rcu_retire(
            &waited,
            [&](int* count) {
                inside.count_down();
                std::this_thread::sleep_for(20ms);
                defer<headless>(1, deleted, other);
                other.free_rcu_barrier();
                quiesce::rcu_retire(new headless(deleted), std::default_delete<headless>(), other);
                other.barrier();
                *count = deleted;
            },
            *waiting);
        inside.wait();
        const int before = deleted;
        EXPECT_EQ(exit_code_of_child([&] { return waited == before + 2 ? 0 : 1; }), 0);
        EXPECT_EQ(deleted, before + 2);
        EXPECT_EQ(use_in_child(), 0);
        waiting->barrier();
    }
}

// What waits has its work done by whoever waits, until the driver is there again.
TEST_F(Fork, MayHappenWhileOthersWait) {
    rcu_domain younger;
    std::atomic<bool> stop{false};
    std::vector<std::jthread> busy;
    for (rcu_domain* const d : {&younger, &domain}) {
        busy.emplace_back([this, d, &stop] {
            while (!stop) {
                quiesce::rcu_retire(new headless(deleted), std::default_delete<headless>(), *d);
                d->barrier();
                object_cache<int> cache({.name = "numbers"}, *d);
                cache.free_rcu(cache.allocate(1));
                cache.destroy().wait();
            }
        });
    }
    for (int i = 0; i != 50; ++i) {
        EXPECT_EQ(use_in_child(), 0);
    }
    stop = true;
}

// Threads are anywhere in their calls when the process forks.
TEST_F(Fork, MayHappenAtAnyTime) {
    object_cache<headless> cache({.name = "objects"}, domain);
    std::atomic<bool> stop{false};
    std::vector<std::jthread> busy;
    for (int i = 0; i != 2; ++i) {
        busy.emplace_back([&] {
            while (!stop) {
                defer<headed>(3, deleted, domain);
                cache.free_rcu(cache.allocate(deleted));
                { const std::scoped_lock section(domain); }
                domain.synchronize();
            }
        });
    }
    for (int i = 0; i != 50; ++i) {
        EXPECT_EQ(exit_code_of_child([&] {
                      domain.free_rcu_barrier();
                      const int before = deleted;
                      defer<headless>(5, deleted, domain);
                      cache.free_rcu(cache.allocate(deleted));
                      domain.synchronize();
                      domain.free_rcu_barrier();
                      return deleted == before + 6 ? 0 : 1;
                  }),
                  0);
    }
    stop = true;
    busy.clear();
    domain.free_rcu_barrier();
}

// The child has no driver until it asks for one, which must not be taken for granted.
TEST_F(Fork, TheChildsDriverIsStartedByWhatIsDeferredThere) {
    const reader in_the_way(domain);
    defer<headless>(3, deleted, domain);
    EXPECT_EQ(exit_code_of_child([this] {
                  defer<headless>(1, deleted, domain);
                  return eventually([this] { return deleted == 4; }) ? 0 : 1;
              }),
              0);
}

TEST_F(Fork, TheChildsDriverIsStartedByWhatIsRetiredThere) {
    const reader in_the_way(domain);
    quiesce::rcu_retire(new headless(deleted), std::default_delete<headless>(), domain);
    EXPECT_EQ(exit_code_of_child([this] {
                  quiesce::rcu_retire(new headless(deleted), std::default_delete<headless>(), domain);
                  return eventually([this] { return deleted == 2; }) ? 0 : 1;
              }),
              0);
}

TEST_F(Fork, AReaderHasTheNumberOfItsThreadInTheChild) {
    { const std::scoped_lock registered(domain); }
    EXPECT_EQ(exit_code_of_child([this] {
                  kept_stalls stalls;
                  domain.report_stalls(stalls.options());
                  domain.lock();
                  (void)domain.start_poll();
                  const quiesce::stall_report r = stalls.first();
                  domain.report_stalls(stalls.options(0));
                  domain.unlock();
                  const auto number = static_cast<std::uint32_t>(::gettid());
                  return r.reader_count == 1 && r.readers[0].thread == number ? 0 : 1;
              }),
              0);
}

#endif

}  // namespace
