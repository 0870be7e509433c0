// Waiting for everything, wherever it is and whatever it leads to.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <semaphore>
#include <thread>

#include "quiesce/rcu.hpp"
#include "tsan_tests/domain_kinds.hpp"
#include "tsan_tests/free_rcu_support.hpp"

namespace {

using namespace quiesce::tests;
using quiesce::rcu_domain;

template <class P>
class FlushOf : public testing::Test {
protected:
    // Destroyed, it counts and defers the next, by a callback and by free_rcu in turns.
    struct link {
        FlushOf* self;
        int left;
        ~link() {
            self->links.fetch_add(1);
            self->start_chain(left);
        }
    };

    void start_chain(int length) {
        if (length % 2 != 0) {
            quiesce::free_rcu(new link{this, length - 1}, std::default_delete<link>(), domain);
        } else if (length != 0) {
            quiesce::rcu_retire(new link{this, length - 1}, std::default_delete<link>(), domain);
        }
    }

    std::atomic<int> links{0};
    quiesce::basic_rcu_domain<P> domain;
};
TYPED_TEST_SUITE(FlushOf, domain_kinds, domain_kind_name);
using Flush = FlushOf<quiesce::native_platform>;

TYPED_TEST(FlushOf, FlushAllFollowsAChainOfCallbacksAndDeleters) {
    for (int round = 1; round != 20; ++round) {
        this->links = 0;
        this->start_chain(10);
        this->domain.flush_all();
        ASSERT_EQ(this->links, 10);
    }
}

TYPED_TEST(FlushOf, ARoundCoversWhatCameBeforeAndSaysWhetherMoreCame) {
    EXPECT_TRUE(this->domain.flush_round());
    this->start_chain(50);
    EXPECT_FALSE(this->domain.flush_round());
    EXPECT_GE(this->links, 1);
    while (!this->domain.flush_round()) {
    }
    EXPECT_EQ(this->links, 50);
}

TEST_F(Flush, ARoundReturnsWhileAnotherThreadGoesOnDeferring) {
    std::atomic<bool> over{false};
    std::counting_semaphore<> begun{0};
    std::atomic<int> deleted{0};
    std::thread producer([&] {
        for (bool told = false; !over; told = true) {
            defer<headless>(1, deleted, domain);
            if (!told) {
                begun.release();
            }
        }
    });
    begun.acquire();
    std::atomic<int> own{0};
    defer<headless>(1, own, domain);
    (void)domain.flush_round();
    EXPECT_EQ(own, 1);
    over = true;
    producer.join();
    domain.flush_all();
}

}  // namespace
