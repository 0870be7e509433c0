// What only a domain of one thread promises. What it has in common with others is tested over both kinds of domains,
// where the name of a test ends with OneThread.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "tsan_tests/cache_support.hpp"

namespace {

using namespace quiesce::tests;
using quiesce::misuse;
using quiesce::single_thread_cache;
using quiesce::single_thread_domain;
using quiesce::single_thread_head;
using one_thread = quiesce::native_single_thread_platform;

class SingleThread : public CacheTestOf<one_thread> {
protected:
    static void expect(misuse kind, std::string_view call) {
        const std::vector<kept_report> found = kept_reports::take();
        ASSERT_EQ(found.size(), 1U);
        EXPECT_STREQ(describe(found[0].kind), describe(kind));
        EXPECT_EQ(found[0].call, call);
    }

    // One of each kind of what can be deferred.
    void defer_each() {
        defer<headless>(1, deleted, domain);
        defer<headed_of<one_thread>>(1, deleted, domain);
        quiesce::rcu_retire(new headless(deleted), std::default_delete<headless>(), domain);
        quiesce::free_large_rcu(quiesce::allocate_large(1, domain), domain);
        objects.free_rcu(objects.allocate(deleted));
    }
    bool all_are_out() { return deleted == 0 && domain.large_blocks().blocks == 1; }
    bool all_are_freed() { return deleted == 4 && domain.large_blocks().blocks == 0; }

    single_thread_cache<headless> objects{{.name = "objects"}, domain};
};

TEST_F(SingleThread, WhatIsDeferredWaitsForTheQuiescentPoint) {
    defer_each();
    EXPECT_TRUE(all_are_out());
    domain.synchronize();
    {
        const std::scoped_lock section(domain);
        EXPECT_TRUE(all_are_out());
    }
    EXPECT_TRUE(all_are_out());
    domain.quiescent_point();
    EXPECT_TRUE(all_are_freed());
}

TEST_F(SingleThread, AQuiescentPointNeedsNothingToDo) {
    for (int i = 0; i != 10; ++i) {
        quiescent_point(domain);
    }
}

TEST_F(SingleThread, AQuiescentPointCoversAnyNumber) {
    constexpr int many = 20 * block + 3;
    defer<headless>(many, deleted, domain);
    defer<headed_of<one_thread>>(many, deleted, domain);
    for (int i = 0; i != many; ++i) {
        quiesce::rcu_retire(new headless(deleted), std::default_delete<headless>(), domain);
    }
    domain.quiescent_point();
    EXPECT_EQ(deleted, 3 * many);
    EXPECT_EQ(domain.backlog(), 0U);
}

TEST_F(SingleThread, AQuiescentPointAfterStepsByHandCoversEverythingToo) {
    for (int step = 0; step != 5; ++step) {
        defer<headless>(block + 1, deleted, domain);
        domain.hurry();
        (void)domain.monitor_step();
    }
    domain.quiescent_point();
    EXPECT_EQ(deleted, 5 * (block + 1));
}

TEST_F(SingleThread, AQuiescentPointInASectionIsMisuseAndDoesNothing) {
    defer_each();
    {
        const std::scoped_lock section(domain);
        domain.lock();
        domain.unlock();
        domain.quiescent_point();
        expect(misuse::quiescent_point_in_section, "quiescent_point");
        EXPECT_TRUE(all_are_out());
    }
    domain.quiescent_point();
    EXPECT_TRUE(all_are_freed());
}

TEST_F(SingleThread, AQuiescentPointInACallbackOrADeleterIsMisuseAndDoesNothing) {
    struct probe : single_thread_head {
        single_thread_domain* home = nullptr;
        static void run(single_thread_head* h) { static_cast<probe*>(h)->home->quiescent_point(); }
    } p;
    p.home = &domain;
    domain.retire(&p, &probe::run);
    domain.quiescent_point();
    expect(misuse::quiescent_point_in_callback, "quiescent_point");
    domain.free_rcu(&p, &probe::run);
    domain.quiescent_point();
    expect(misuse::quiescent_point_in_callback, "quiescent_point");
}

// A chain of them is as long as it is, and the stack is not.
TEST_F(SingleThread, WhatADeleterDefersWaitsForTheNextQuiescentPoint) {
    struct link : headless {
        link(std::atomic<int>& count, single_thread_domain& d, int more) : headless(count), home(&d), left(more) {}
        ~link() {
            if (left != 0) {
                quiesce::free_rcu(new link(*deleted, *home, left - 1), std::default_delete<link>(), *home);
            }
        }
        single_thread_domain* home;
        int left;
    };
    quiesce::free_rcu(new link(deleted, domain, 1000), std::default_delete<link>(), domain);
    for (int point = 1; point != 1002; ++point) {
        domain.quiescent_point();
        ASSERT_EQ(deleted, point);
    }
}

TEST_F(SingleThread, WhatACallbackQueuesWaitsForTheNextQuiescentPoint) {
    struct again : single_thread_head {
        single_thread_domain* home = nullptr;
        int ran = 0;
        static void run(single_thread_head* h) {
            auto* const self = static_cast<again*>(h);
            if (++self->ran != 100) {
                self->home->retire(h, &run);
            }
        }
    } a;
    a.home = &domain;
    domain.retire(&a, &again::run);
    for (int point = 1; point != 101; ++point) {
        domain.quiescent_point();
        ASSERT_EQ(a.ran, point);
    }
    domain.quiescent_point();
    EXPECT_EQ(a.ran, 100);
}

TEST_F(SingleThread, AWaitThatNothingEndsIsReportedAndReturns) {
    single_thread_cache<headless> others({.name = "others", .on_destroy = quiesce::destroy_strategy::last_free},
                                         domain);
    headless* const held = others.allocate(deleted);
    const auto end = others.destroy();
    EXPECT_FALSE(end.wait_for(60'000));  // at once
    EXPECT_EQ(kept_reports::count(), 0U);
    end.wait();
    expect(misuse::wait_without_end, "wait");
    others.free_rcu(held);
    end.wait();
    EXPECT_TRUE(end.poll());
}

TEST_F(SingleThread, AnAsyncCacheIsSettledAtAQuiescentPoint) {
    std::optional<quiesce::basic_cache_token<one_thread>> end;
    headless* held = nullptr;
    {
        single_thread_cache<headless> others({.name = "others", .on_destroy = quiesce::destroy_strategy::async},
                                             domain);
        held = others.allocate(deleted);
        others.free_rcu(others.allocate(deleted));
        end = others.destroy();
    }
    EXPECT_EQ(deleted, 0);
    EXPECT_EQ(kept_reports::count(), 0U);
    domain.quiescent_point();
    EXPECT_EQ(deleted, 1);
    expect(misuse::objects_held_at_destroy, "destroy");
    quiesce::cache_free<headless, one_thread>(held);
    EXPECT_FALSE(end->poll());
    domain.quiescent_point();
    EXPECT_TRUE(end->poll());
}

TEST_F(SingleThread, AStagedCacheEndsByBothProtocols) {
    single_thread_domain tasks;
    for (const auto how : {quiesce::staged_destroy::order, quiesce::staged_destroy::draining}) {
        quiesce::staged_cache_options options;
        options.name = "nodes";
        options.size = 64;
        options.alignment = 8;
        options.on_destroy = how;
        quiesce::single_thread_staged_cache nodes(domain, tasks, options);
        for (int round = 0; round != 20; ++round) {
            std::vector<void*> held;
            for (int i = 0; i != 200; ++i) {
                held.push_back(nodes.allocate());
            }
            for (std::size_t i = 0; i != held.size(); ++i) {
                i % 2 == 0 ? nodes.free_rcu(held[i]) : nodes.free(held[i]);
            }
            if (round % 2 == 0) {
                domain.quiescent_point();
            }
            if (round % 3 == 0) {
                tasks.quiescent_point();
            }
        }
        const auto end = nodes.destroy();
        end.wait();
        EXPECT_TRUE(end.poll());
    }
}

TEST_F(SingleThread, AnArrayGrowsUnderItsReader) {
    quiesce::rcu_array<int, one_thread> array(domain);
    for (int i = 0; i != 10'000; ++i) {
        array.push_back(i);
        if (i % 1000 == 0) {
            const std::scoped_lock section(domain);
            ASSERT_EQ(array.get(static_cast<std::size_t>(i)), i);
        }
    }
    domain.quiescent_point();
    EXPECT_EQ(array.get(9'999), 9'999);
}

TEST_F(SingleThread, StartsNoThread) {
    const auto threads = [] {
        const std::filesystem::directory_iterator tasks("/proc/self/task");
        return std::distance(begin(tasks), end(tasks));
    };
    const auto before = threads();
    for (int i = 0; i != 10; ++i) {
        defer_each();
        domain.hurry();
        single_thread_cache<int> numbers({.name = "numbers", .on_destroy = quiesce::destroy_strategy::async}, domain);
        numbers.free_rcu(numbers.allocate(1));
        domain.quiescent_point();
    }
    EXPECT_EQ(threads(), before);
}

// ThreadSanitizer sees a domain that is not handed over as a race.
TEST_F(SingleThread, TheDomainMayGoFromThreadToThread) {
    std::mutex turn;
    std::vector<std::jthread> threads;
    for (int t = 0; t != 3; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i != 500; ++i) {
                const std::scoped_lock mine(turn);
                {
                    const std::scoped_lock section(domain);
                    defer<headed_of<one_thread>>(1, deleted, domain);
                }
                objects.free_rcu(objects.allocate(deleted));
                if (i % 7 == 0) {
                    domain.quiescent_point();
                }
            }
        });
    }
    threads.clear();
    domain.quiescent_point();
    EXPECT_EQ(deleted, 3 * 2 * 500);
}

TEST_F(SingleThread, TheChildOfAForkGoesOnWithItsCopy) {
    defer_each();
    const pid_t child = ::fork();
    ASSERT_NE(child, -1);
    if (child == 0) {
        domain.quiescent_point();
        ::_exit(all_are_freed() ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_TRUE(all_are_out());
    domain.quiescent_point();
    EXPECT_TRUE(all_are_freed());
}

TEST_F(SingleThread, ABacklogOverItsLimitIsCountedAndNotWaitedFor) {
    domain.limit_backlog({.hurry_at = 1, .throttle_at = 2, .throttle_ms = 60'000});
    defer<headless>(3 * block, deleted, domain);
    EXPECT_EQ(deleted, 0);
    EXPECT_GT(domain.backlog_limit_exceeded(), 0U);
    domain.quiescent_point();
    EXPECT_EQ(deleted, 3 * block);
}

}  // namespace
