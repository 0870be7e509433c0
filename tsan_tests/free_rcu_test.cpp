// Both forms of free_rcu: what is deleted, when, and by whom.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <concepts>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tsan_tests/domain_kinds.hpp"
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

/// For what holds for both forms, with a driver and in one thread.
template <class Form>
class FreeRcuTo : public testing::Test {
protected:
    static constexpr bool has_head = Form::has_head;

    void defer(int count) { quiesce::tests::defer<typename Form::object>(count, deleted, domain); }
    // As the form allows it there.
    void defer_in_section(int count) {
        for (int i = 0; i != count; ++i) {
            using object = typename Form::object;
            if constexpr (Form::has_head) {
                free_rcu(new object(deleted), std::default_delete<object>(), domain);
            } else {
                ASSERT_TRUE(try_free_rcu(new object(deleted), std::default_delete<object>(), domain));
            }
        }
    }

    std::atomic<int> deleted{0};
    quiesce::basic_rcu_domain<typename Form::platform> domain;
};

template <class P>
struct without_head {
    using platform = P;
    using object = headless;
    static constexpr bool has_head = false;
};
template <class P>
struct with_head {
    using platform = P;
    using object = headed_of<P>;
    static constexpr bool has_head = true;
};
using one_thread = quiesce::native_single_thread_platform;
using forms_and_kinds = testing::Types<without_head<quiesce::native_platform>, with_head<quiesce::native_platform>,
                                       without_head<one_thread>, with_head<one_thread>>;
struct form_and_kind_name {
    template <class Form>
    static std::string GetName(int i) {
        return (Form::has_head ? "Headed" : "Headless") +
               domain_kind_name::template GetName<typename Form::platform>(i);
    }
};
TYPED_TEST_SUITE(FreeRcuTo, forms_and_kinds, form_and_kind_name);

TYPED_TEST(FreeRcuTo, KeepsObjectsWhileASectionOfTheCallerIsOpen) {
    {
        const std::scoped_lock section(this->domain);
        this->defer_in_section(2 * block + 1);
        tempt(this->domain);
        EXPECT_EQ(this->deleted, 0);
    }
    this->domain.free_rcu_barrier();
    EXPECT_EQ(this->deleted, 2 * block + 1);
}

TYPED_TEST(FreeRcuTo, DomainsAreBuiltUsedAndDestroyedManyTimes) {
    for (int round = 1; round != 200; ++round) {
        decltype(this->domain) short_lived;
        defer<typename TypeParam::object>(block + 1, this->deleted, short_lived);
        short_lived.free_rcu_barrier();
        ASSERT_EQ(this->deleted, round * (block + 1));
    }
}

TYPED_TEST(FreeRcuTo, TheBarrierWaitsForObjectsDeferredBeforeTheCall) {
    for (int round = 1; round != 200; ++round) {
        this->defer(1);
        this->domain.free_rcu_barrier();
        ASSERT_EQ(this->deleted, round);
    }
}

TYPED_TEST(FreeRcuTo, DeletesEachObjectOnce) {
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

TYPED_TEST(FreeRcuTo, DeletesWithoutFurtherCalls) {
    for (int round = 1; round != 6; ++round) {
        this->defer(block + 1);
        ASSERT_TRUE(eventually(this->domain, [&] { return this->deleted == round * (block + 1); }));
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

template <class P>
class FreeRcuTypesOf : public testing::Test {};
TYPED_TEST_SUITE(FreeRcuTypesOf, domain_kinds, domain_kind_name);

TYPED_TEST(FreeRcuTypesOf, ADeleterIsCalledWithTheObject) {
    static std::atomic<void*> seen;
    using object_type = headed_of<TypeParam>;
    struct keep {
        void operator()(object_type* o) const { seen = o; }
    };
    quiesce::basic_rcu_domain<TypeParam> domain;
    std::atomic<int> deleted{0};
    object_type object(deleted);
    free_rcu(&object, keep(), domain);
    domain.free_rcu_barrier();
    EXPECT_EQ(seen, &object);
    EXPECT_EQ(deleted, 0);
}

TYPED_TEST(FreeRcuTypesOf, ConstObjectsAreDeleted) {
    quiesce::basic_rcu_domain<TypeParam> domain;
    std::atomic<int> deleted{0};
    free_rcu<const headless>(new headless(deleted), {}, domain);
    free_rcu<const headed_of<TypeParam>>(new headed_of<TypeParam>(deleted), {}, domain);
    EXPECT_TRUE(try_free_rcu<const headless>(new headless(deleted), {}, domain));
    domain.free_rcu_barrier();
    EXPECT_EQ(deleted, 3);
}

TYPED_TEST(FreeRcuTypesOf, ObjectsAreDeletedThroughAPolymorphicBase) {
    struct other_base {
        virtual ~other_base() = default;
        int value = 0;
    };
    struct polymorphic : headed_of<TypeParam> {
        using headed_of<TypeParam>::headed_of;
        virtual ~polymorphic() = default;
    };
    struct derived : other_base, polymorphic {
        explicit derived(std::atomic<int>& count) : polymorphic(count), late(count) {}
        headless late;
    };
    quiesce::basic_rcu_domain<TypeParam> domain;
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

template <class P>
class FreeRcuInContextOf : public testing::Test {
protected:
    void defer(int count) { quiesce::tests::defer<headless>(count, deleted, domain); }

    std::atomic<int> deleted{0};
    quiesce::basic_rcu_domain<P> domain;
};
TYPED_TEST_SUITE(FreeRcuInContextOf, domain_kinds, domain_kind_name);

TYPED_TEST(FreeRcuInContextOf, DeletersDoNotRunInTheCall) {
    static std::atomic<std::thread::id> ran_on;
    static std::atomic<std::thread::id> calling;
    static std::atomic<bool> ran_in_call;
    ran_in_call = false;
    calling = std::this_thread::get_id();
    this->domain.free_rcu(this, [](void*) {
        ran_on = std::this_thread::get_id();
        ran_in_call = calling.load() == ran_on.load();
    });
    calling = std::thread::id();
    this->domain.free_rcu_barrier();
    EXPECT_FALSE(ran_in_call);
    EXPECT_EQ(ran_on.load() == std::this_thread::get_id(), single_threaded<TypeParam>);
    EXPECT_NE(ran_on.load(), std::thread::id());
}

TYPED_TEST(FreeRcuInContextOf, SectionsMayTryAndMayDeferHeads) {
    {
        const std::scoped_lock section(this->domain);
        for (int i = 0; i != block + 1; ++i) {
            ASSERT_TRUE(try_free_rcu(new headless(this->deleted), std::default_delete<headless>(), this->domain));
        }
        quiesce::tests::defer<headed_of<TypeParam>>(block + 1, this->deleted, this->domain);
        tempt(this->domain);
        EXPECT_EQ(this->deleted, 0);
    }
    this->domain.free_rcu_barrier();
    EXPECT_EQ(this->deleted, 2 * (block + 1));
}

TYPED_TEST(FreeRcuInContextOf, AHeadMayBeUsedAgainOnceItsDeleterRuns) {
    using head = quiesce::basic_rcu_head<TypeParam>;
    struct again : head {
        quiesce::basic_rcu_domain<TypeParam>* home = nullptr;
        std::atomic<int> runs{0};
        static void run(head* h) {
            auto* const self = static_cast<again*>(h);
            if (self->runs.fetch_add(1) == 0) {
                self->home->free_rcu(h, &run);
            }
        }
    };
    again a;
    a.home = &this->domain;
    this->domain.free_rcu(&a, &again::run);
    this->domain.free_rcu_barrier();  // the first run
    this->domain.free_rcu_barrier();  // the one that the first run deferred
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

TYPED_TEST(FreeRcuInContextOf, StepsFreeWithoutADriver) {
    this->domain.stop_driver();
    this->defer(1);
    EXPECT_EQ(this->domain.monitor(), monitor_state::hurried);  // the monitor has to learn of this thread
    EXPECT_TRUE(this->domain.monitor_step());
    EXPECT_EQ(this->domain.free_step(), 0U);
    EXPECT_EQ(this->domain.advance_grace_period(), step_result::completed);
    EXPECT_EQ(this->domain.free_step(), 1U);
    EXPECT_EQ(this->deleted, 1);
    EXPECT_EQ(this->domain.monitor(), monitor_state::idle);
}

TYPED_TEST(FreeRcuInContextOf, HurryEndsTheDelay) {
    this->domain.stop_driver();
    this->defer(1);
    (void)this->domain.monitor_step();
    this->defer(1);
    EXPECT_EQ(this->domain.monitor(), monitor_state::armed);
    this->domain.hurry();
    EXPECT_EQ(this->domain.monitor(), monitor_state::hurried);
    EXPECT_TRUE(this->domain.monitor_step());
    EXPECT_EQ(this->domain.backlog(), 2U);
    EXPECT_EQ(this->domain.advance_grace_period(), step_result::completed);
    while (this->domain.free_step() != 0) {
    }
    EXPECT_EQ(this->deleted, 2);
}

}  // namespace
