#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "quiesce/rcu.hpp"
#include "tsan_tests/free_rcu_support.hpp"

namespace {

using quiesce::rcu_domain;
using namespace quiesce::tests;

struct counting_deleter {
    std::atomic<int>* count = nullptr;
    template <class T>
    void operator()(T* object) const {
        delete object;
        count->fetch_add(1);
    }
};

struct node : quiesce::rcu_obj_base<node, counting_deleter> {
    int value = 1;
};

TEST(RcuRetire, DeletesAfterABarrier) {
    rcu_domain domain;
    std::atomic<int> deleted{0};
    for (int i = 0; i != 1000; ++i) {
        (new node)->retire({&deleted}, domain);
    }
    domain.barrier();
    EXPECT_EQ(deleted, 1000);
}

TEST(RcuRetire, KeepsTheObjectWhileASectionThatMaySeeItIsOpen) {
    rcu_domain domain;
    std::atomic<int> deleted{0};
    domain.lock();
    (new node)->retire({&deleted}, domain);
    std::this_thread::sleep_for(20ms);
    EXPECT_EQ(deleted, 0);
    domain.unlock();
    domain.barrier();
    EXPECT_EQ(deleted, 1);
}

TEST(RcuRetire, RunsTheCallbackWithoutFurtherCalls) {
    rcu_domain domain;
    std::atomic<int> deleted{0};
    (new node)->retire({&deleted}, domain);
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (deleted == 0) {
        ASSERT_LT(std::chrono::steady_clock::now(), deadline);
        std::this_thread::sleep_for(1ms);
    }
}

TEST(RcuRetire, TakesObjectsWithoutAHead) {
    rcu_domain domain;
    std::atomic<int> deleted{0};
    quiesce::rcu_retire(new int(1), counting_deleter{&deleted}, domain);
    domain.barrier();
    EXPECT_EQ(deleted, 1);
}

TEST(RcuRetire, UsesTheDefaultDomainAndDeleterWhenNoneAreNamed) {
    struct plain_node : quiesce::rcu_obj_base<plain_node> {
        explicit plain_node(std::atomic<int>& c) : count(c) {}
        ~plain_node() { count.fetch_add(1); }
        std::atomic<int>& count;
    };
    std::atomic<int> deleted{0};
    (new plain_node(deleted))->retire();
    quiesce::rcu_barrier();
    EXPECT_EQ(deleted, 1);
}

TEST(RcuRetire, CallbacksDoNotRunInTheCallThatQueuesThem) {
    rcu_domain domain;
    static std::thread::id ran_on;
    struct probe : quiesce::rcu_head {};
    static probe p;
    domain.retire(&p, [](quiesce::rcu_head*) { ran_on = std::this_thread::get_id(); });
    domain.barrier();
    EXPECT_NE(ran_on, std::this_thread::get_id());
    EXPECT_NE(ran_on, std::thread::id());
}

TEST(RcuRetire, AHeadMayBeUsedAgainOnceItsCallbackRuns) {
    rcu_domain domain;
    struct again : quiesce::rcu_head {
        rcu_domain* home = nullptr;
        std::atomic<int> runs{0};
    };
    again a;
    a.home = &domain;
    struct run {
        static void once(quiesce::rcu_head* h) {
            auto* const self = static_cast<again*>(h);
            if (self->runs.fetch_add(1) == 0) {
                self->home->retire(h, &once);
            }
        }
    };
    domain.retire(&a, &run::once);
    domain.barrier();  // the first run
    domain.barrier();  // the one that the first run queued
    EXPECT_EQ(a.runs, 2);
}

TEST(RcuBarrier, ReturnsAtOnceWhenNothingIsQueued) {
    rcu_domain domain;
    const std::scoped_lock other_domain(quiesce::rcu_default_domain());
    domain.barrier();
}

TEST(RcuBarrier, WaitsForCallbacksQueuedBeforeTheCall) {
    rcu_domain domain;
    std::atomic<int> deleted{0};
    for (int round = 1; round != 200; ++round) {
        (new node)->retire({&deleted}, domain);
        domain.barrier();
        ASSERT_EQ(deleted, round);
    }
}

TEST(RcuBarrier, CoversCallbacksOfOtherThreadsThatHappenBeforeIt) {
    rcu_domain domain;
    std::atomic<int> deleted{0};
    for (int round = 0; round != 50; ++round) {
        std::vector<std::jthread> threads;
        for (int i = 0; i != 4; ++i) {
            threads.emplace_back([&] {
                for (int n = 0; n != 10; ++n) {
                    (new node)->retire({&deleted}, domain);
                }
            });
        }
        threads.clear();
        domain.barrier();
        ASSERT_EQ(deleted, (round + 1) * 40);
    }
}

TEST(RcuBarrier, ConcurrentBarriersAllReturn) {
    rcu_domain domain;
    std::atomic<int> deleted{0};
    std::vector<std::jthread> threads;
    for (int i = 0; i != 4; ++i) {
        threads.emplace_back([&] {
            for (int n = 0; n != 50; ++n) {
                (new node)->retire({&deleted}, domain);
                domain.barrier();
            }
        });
    }
    threads.clear();
    EXPECT_EQ(deleted, 200);
}

TEST(RcuStress, ReadersNeverSeeADeletedObject) {
    struct checked : quiesce::rcu_obj_base<checked> {
        ~checked() { canary = 0; }
        unsigned canary = 0xa11fe;
    };
    rcu_domain domain;
    std::atomic<checked*> current{new checked};
    std::atomic<bool> stop{false};
    std::atomic<int> bad{0};
    {
        std::vector<std::jthread> readers;
        for (int i = 0; i != 3; ++i) {
            readers.emplace_back([&] {
                while (!stop) {
                    const std::scoped_lock section(domain);
                    bad += current.load(std::memory_order_acquire)->canary != 0xa11fe ? 1 : 0;
                }
            });
        }
        const auto deadline = std::chrono::steady_clock::now() + 1s;
        for (int n = 0; std::chrono::steady_clock::now() < deadline; ++n) {
            current.exchange(new checked, std::memory_order_acq_rel)->retire({}, domain);
            if (n % 64 == 0) {
                domain.barrier();
            }
        }
        stop = true;
    }
    current.load()->retire({}, domain);
    domain.barrier();
    EXPECT_EQ(bad, 0);
}

TEST(RcuBarrier, ReturnsAlsoWhenTheDriverStopsMeanwhile) {
    rcu_domain domain;
    reader in_the_way(domain);
    std::atomic<int> deleted{0};
    quiesce::rcu_retire(new headless(deleted), std::default_delete<headless>(), domain);
    std::jthread waiter([&domain] { domain.barrier(); });
    std::this_thread::sleep_for(5ms);
    domain.stop_driver();
    in_the_way.leave();
    waiter.join();
    EXPECT_EQ(deleted, 1);
}

}  // namespace
