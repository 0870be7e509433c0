// Both forms of free_rcu: what is deleted, when, and by whom.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <concepts>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tsan_tests/free_rcu_support.hpp"

namespace {

using namespace quiesce::tests;
using quiesce::free_rcu;
using quiesce::rcu_domain;
using quiesce::step_result;
using quiesce::try_free_rcu;
using quiesce::detail::monitor_state;
using std::chrono::steady_clock;

struct form_name {
    template <class T>
    static std::string GetName(int) {
        return std::same_as<T, headed> ? "Headed" : "Headless";
    }
};

/// For what holds for both forms.
template <class T>
class FreeRcu : public testing::Test {
protected:
    void defer(int count) { quiesce::tests::defer<T>(count, deleted, domain); }

    std::atomic<int> deleted{0};
    rcu_domain domain;
};

using forms = testing::Types<headless, headed>;
TYPED_TEST_SUITE(FreeRcu, forms, form_name);

TYPED_TEST(FreeRcu, DeletesEachObjectOnce) {
    for (const int count : {1, block - 1, block, block + 1, 10 * block}) {
        this->deleted = 0;
        this->defer(count);
        this->domain.free_rcu_barrier();
        EXPECT_EQ(this->deleted, count);
    }
}

TYPED_TEST(FreeRcu, KeepsObjectsWhileASectionThatMaySeeThemIsOpen) {
    reader in_the_way(this->domain);
    this->defer(2 * block + 1);
    std::this_thread::sleep_for(20ms);
    EXPECT_EQ(this->deleted, 0);
    in_the_way.leave();
    this->domain.free_rcu_barrier();
    EXPECT_EQ(this->deleted, 2 * block + 1);
}

TYPED_TEST(FreeRcu, AGracePeriodUnderWayIsNotEnoughForAnObjectThatComesLater) {
    rcu_domain& home = this->domain;
    home.stop_driver();
    reader first(home);
    this->defer(1);
    EXPECT_TRUE(home.monitor_step());
    EXPECT_EQ(home.advance_grace_period(), step_result::waiting_for_readers);
    reader second(home);  // the grace period under way does not wait for this one
    this->defer(1);
    EXPECT_TRUE(home.monitor_step());
    first.leave();
    EXPECT_EQ(home.advance_grace_period(), step_result::completed);
    EXPECT_EQ(home.free_step(), 1U);
    EXPECT_EQ(this->deleted, 1);
    EXPECT_EQ(home.advance_grace_period(), step_result::waiting_for_readers);
    EXPECT_EQ(home.free_step(), 0U);
    second.leave();
    EXPECT_EQ(home.advance_grace_period(), step_result::completed);
    EXPECT_EQ(home.free_step(), 1U);
    EXPECT_EQ(this->deleted, 2);
}

TYPED_TEST(FreeRcu, DeletesWithoutFurtherCalls) {
    for (int round = 1; round != 6; ++round) {
        this->defer(block + 1);
        ASSERT_TRUE(eventually([&] { return this->deleted == round * (block + 1); }));
    }
}

TYPED_TEST(FreeRcu, TakesObjectsFromManyThreads) {
    std::vector<std::jthread> threads;
    for (int i = 0; i != 4; ++i) {
        threads.emplace_back([this] { this->defer(10 * block + 7); });
    }
    threads.clear();
    this->domain.free_rcu_barrier();
    EXPECT_EQ(this->deleted, 4 * (10 * block + 7));
}

TYPED_TEST(FreeRcu, ReadersNeverSeeADeletedObject) {
    struct checked : TypeParam {
        using TypeParam::TypeParam;
        ~checked() { canary = 0; }
        unsigned canary = 0xa11fe;
    };
    std::atomic<checked*> current{new checked(this->deleted)};
    std::atomic<bool> stop{false};
    std::atomic<int> bad{0};
    {
        std::vector<std::jthread> readers;
        for (int i = 0; i != 2; ++i) {
            readers.emplace_back([&] {
                while (!stop) {
                    const std::scoped_lock section(this->domain);
                    bad += current.load(std::memory_order_acquire)->canary != 0xa11fe ? 1 : 0;
                }
            });
        }
        const auto deadline = steady_clock::now() + 100ms;
        while (steady_clock::now() < deadline) {
            checked* const old = current.exchange(new checked(this->deleted), std::memory_order_acq_rel);
            free_rcu(old, std::default_delete<checked>(), this->domain);
        }
        stop = true;
    }
    free_rcu(current.load(), std::default_delete<checked>(), this->domain);
    this->domain.free_rcu_barrier();
    EXPECT_EQ(bad, 0);
}

TEST(FreeRcuTypes, ADeleterIsCalledWithTheObject) {
    static std::atomic<void*> seen;
    struct keep {
        void operator()(headed* object) const { seen = object; }
    };
    rcu_domain domain;
    std::atomic<int> deleted{0};
    headed object(deleted);
    free_rcu(&object, keep(), domain);
    domain.free_rcu_barrier();
    EXPECT_EQ(seen, &object);
    EXPECT_EQ(deleted, 0);
}

TEST(FreeRcuTypes, ConstObjectsAreDeleted) {
    rcu_domain domain;
    std::atomic<int> deleted{0};
    free_rcu<const headless>(new headless(deleted), {}, domain);
    free_rcu<const headed>(new headed(deleted), {}, domain);
    EXPECT_TRUE(try_free_rcu<const headless>(new headless(deleted), {}, domain));
    domain.free_rcu_barrier();
    EXPECT_EQ(deleted, 3);
}

TEST(FreeRcuTypes, ObjectsAreDeletedThroughAPolymorphicBase) {
    struct other_base {
        virtual ~other_base() = default;
        int value = 0;
    };
    struct polymorphic : headed {
        using headed::headed;
        virtual ~polymorphic() = default;
    };
    struct derived : other_base, polymorphic {
        explicit derived(std::atomic<int>& count) : polymorphic(count), late(count) {}
        headless late;
    };
    rcu_domain domain;
    std::atomic<int> deleted{0};
    free_rcu<other_base>(new derived(deleted), {}, domain);   // by its address
    free_rcu<polymorphic>(new derived(deleted), {}, domain);  // by its head
    domain.free_rcu_barrier();
    EXPECT_EQ(deleted, 4);
}

template <class T, class D>
concept deferrable = requires(T* object, D deleter) {
    free_rcu(object, deleter);
};
template <class T>
concept triable = requires(T* object) {
    try_free_rcu(object);
};

TEST(FreeRcuTypes, ADeleterWithStateIsRefused) {
    struct with_state {
        void operator()(headless*) const {}
        int state = 0;
    };
    EXPECT_TRUE((deferrable<headless, std::default_delete<headless>>));
    EXPECT_FALSE((deferrable<headless, with_state>));
}

TEST(FreeRcuTypes, OnlyTheFormThatMayWaitHasATry) {
    EXPECT_TRUE(triable<headless>);
    EXPECT_FALSE(triable<headed>);
}

class FreeRcuInContext : public FreeRcu<headless> {};

TEST_F(FreeRcuInContext, DeletersDoNotRunInTheCall) {
    static std::atomic<std::thread::id> ran_on;
    domain.free_rcu(this, [](void*) { ran_on = std::this_thread::get_id(); });
    domain.free_rcu_barrier();
    EXPECT_NE(ran_on.load(), std::this_thread::get_id());
    EXPECT_NE(ran_on.load(), std::thread::id());
}

TEST_F(FreeRcuInContext, SectionsMayTryAndMayDeferHeads) {
    {
        const std::scoped_lock section(domain);
        for (int i = 0; i != block + 1; ++i) {
            ASSERT_TRUE(try_free_rcu(new headless(deleted), std::default_delete<headless>(), domain));
        }
        quiesce::tests::defer<headed>(block + 1, deleted, domain);
        std::this_thread::sleep_for(20ms);
        EXPECT_EQ(deleted, 0);
    }
    domain.free_rcu_barrier();
    EXPECT_EQ(deleted, 2 * (block + 1));
}

TEST_F(FreeRcuInContext, AHeadMayBeUsedAgainOnceItsDeleterRuns) {
    struct again : quiesce::rcu_head {
        rcu_domain* home = nullptr;
        std::atomic<int> runs{0};
        static void run(quiesce::rcu_head* h) {
            auto* const self = static_cast<again*>(h);
            if (self->runs.fetch_add(1) == 0) {
                self->home->free_rcu(h, &run);
            }
        }
    };
    again a;
    a.home = &domain;
    domain.free_rcu(&a, &again::run);
    domain.free_rcu_barrier();  // the first run
    domain.free_rcu_barrier();  // the one that the first run deferred
    EXPECT_EQ(a.runs, 2);
}

TEST_F(FreeRcuInContext, NeitherFormIsForgottenBehindTheOther) {
    reader in_the_way(domain);
    int deferred = 0;
    for (int batch = 0; batch != 4; ++batch) {
        const std::uint64_t before = domain.backlog();
        quiesce::tests::defer<headed>(1, deleted, domain);
        if (batch != 0) {
            defer(1);
        }
        deferred += batch == 0 ? 1 : 2;
        domain.hurry();
        ASSERT_TRUE(eventually([&] { return domain.backlog() == before + (batch == 0 ? 1 : 2); }));
    }
    in_the_way.leave();
    EXPECT_TRUE(eventually([&] { return deleted == deferred; }));
}

TEST_F(FreeRcuInContext, StepsFreeWithoutADriver) {
    domain.stop_driver();
    defer(1);
    EXPECT_EQ(domain.monitor(), monitor_state::hurried);  // the monitor has to learn of this thread
    EXPECT_TRUE(domain.monitor_step());
    EXPECT_EQ(domain.free_step(), 0U);
    EXPECT_EQ(domain.advance_grace_period(), step_result::completed);
    EXPECT_EQ(domain.free_step(), 1U);
    EXPECT_EQ(deleted, 1);
    EXPECT_EQ(domain.monitor(), monitor_state::idle);
}

TEST_F(FreeRcuInContext, HurryEndsTheDelay) {
    domain.stop_driver();
    defer(1);
    (void)domain.monitor_step();
    defer(1);
    EXPECT_EQ(domain.monitor(), monitor_state::armed);
    domain.hurry();
    EXPECT_EQ(domain.monitor(), monitor_state::hurried);
    EXPECT_TRUE(domain.monitor_step());
    EXPECT_EQ(domain.backlog(), 2U);
    EXPECT_EQ(domain.advance_grace_period(), step_result::completed);
    while (domain.free_step() != 0) {
    }
    EXPECT_EQ(deleted, 2);
}

}  // namespace
