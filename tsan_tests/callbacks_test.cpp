#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "tsan_tests/domain_kinds.hpp"
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

/// For what holds with a driver and in one thread.
template <class P>
class RcuRetireTo : public testing::Test {
protected:
    struct retired : quiesce::basic_rcu_obj_base<retired, counting_deleter, P> {};

    static void retire(std::atomic<int>& deleted, quiesce::basic_rcu_domain<P>& domain) {
        (new retired)->retire(domain, {&deleted});
    }
};

TYPED_TEST_SUITE(RcuRetireTo, domain_kinds, domain_kind_name);

TYPED_TEST(RcuRetireTo, DeletesAfterABarrier) {
    quiesce::basic_rcu_domain<TypeParam> domain;
    std::atomic<int> deleted{0};
    for (int i = 0; i != 1000; ++i) {
        this->retire(deleted, domain);
    }
    domain.barrier();
    EXPECT_EQ(deleted, 1000);
}

TYPED_TEST(RcuRetireTo, KeepsTheObjectWhileASectionThatMaySeeItIsOpen) {
    quiesce::basic_rcu_domain<TypeParam> domain;
    std::atomic<int> deleted{0};
    domain.lock();
    this->retire(deleted, domain);
    tempt(domain);
    EXPECT_EQ(deleted, 0);
    domain.unlock();
    domain.barrier();
    EXPECT_EQ(deleted, 1);
}

TYPED_TEST(RcuRetireTo, RunsTheCallbackWithoutFurtherCalls) {
    quiesce::basic_rcu_domain<TypeParam> domain;
    std::atomic<int> deleted{0};
    this->retire(deleted, domain);
    EXPECT_TRUE(eventually(domain, [&] { return deleted == 1; }));
}

TYPED_TEST(RcuRetireTo, TakesObjectsWithoutAHead) {
    quiesce::basic_rcu_domain<TypeParam> domain;
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

TYPED_TEST(RcuRetireTo, CallbacksDoNotRunInTheCallThatQueuesThem) {
    quiesce::basic_rcu_domain<TypeParam> domain;
    static std::thread::id ran_on;
    static std::atomic<std::thread::id> calling;
    static bool ran_in_call;
    ran_in_call = false;
    using head = quiesce::basic_rcu_head<TypeParam>;
    head probe;
    calling = std::this_thread::get_id();
    domain.retire(&probe, [](head*) {
        ran_on = std::this_thread::get_id();
        ran_in_call = calling.load() == ran_on;
    });
    calling = std::thread::id();
    domain.barrier();
    EXPECT_FALSE(ran_in_call);
    EXPECT_EQ(ran_on == std::this_thread::get_id(), single_threaded<TypeParam>);
    EXPECT_NE(ran_on, std::thread::id());
}

TYPED_TEST(RcuRetireTo, AHeadMayBeUsedAgainOnceItsCallbackRuns) {
    quiesce::basic_rcu_domain<TypeParam> domain;
    using head = quiesce::basic_rcu_head<TypeParam>;
    struct again : head {
        quiesce::basic_rcu_domain<TypeParam>* home = nullptr;
        std::atomic<int> runs{0};
    };
    again a;
    a.home = &domain;
    struct run {
        static void once(head* h) {
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

TYPED_TEST(RcuRetireTo, ABarrierReturnsAtOnceWhenNothingIsQueued) {
    quiesce::basic_rcu_domain<TypeParam> domain;
    quiesce::basic_rcu_domain<TypeParam> other;
    const std::scoped_lock section(other);
    domain.barrier();
}

TYPED_TEST(RcuRetireTo, ABarrierWaitsForCallbacksQueuedBeforeTheCall) {
    quiesce::basic_rcu_domain<TypeParam> domain;
    std::atomic<int> deleted{0};
    for (int round = 1; round != 200; ++round) {
        this->retire(deleted, domain);
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
