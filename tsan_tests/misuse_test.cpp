#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "tsan_tests/domain_kinds.hpp"

namespace {

using quiesce::misuse;
using quiesce::rcu_domain;

// Keeps the reports of a test instead of aborting.
template <class P>
class MisuseOf : public testing::Test {
protected:
    MisuseOf() {
        last.reset();
        quiesce::set_report_handler([](const quiesce::misuse_report& r) { last = r; });
    }
    ~MisuseOf() override { quiesce::set_report_handler(nullptr); }

    void expect(misuse kind, std::string_view call) {
        ASSERT_TRUE(last.has_value());
        EXPECT_EQ(last->kind, kind);
        EXPECT_EQ(last->call, call);
        last.reset();
    }

    static inline std::optional<quiesce::misuse_report> last;
    quiesce::basic_rcu_domain<P> domain;
};
TYPED_TEST_SUITE(MisuseOf, quiesce::tests::domain_kinds, quiesce::tests::domain_kind_name);
using Misuse = MisuseOf<quiesce::native_platform>;

TYPED_TEST(MisuseOf, SynchronizeInASectionIsReportedAndReturns) {
    const std::scoped_lock section(this->domain);
    this->domain.synchronize();
    this->expect(misuse::synchronize_in_section, "rcu_synchronize");
}

TYPED_TEST(MisuseOf, BarrierInASectionIsReportedAndReturns) {
    const std::scoped_lock section(this->domain);
    this->domain.barrier();
    this->expect(misuse::barrier_in_section, "rcu_barrier");
}

TYPED_TEST(MisuseOf, SynchronizeAndBarrierInACallbackAreReported) {
    struct probe : quiesce::basic_rcu_head<TypeParam> {
        quiesce::basic_rcu_domain<TypeParam>* home = nullptr;
        std::optional<quiesce::misuse_report> synchronize;
        std::optional<quiesce::misuse_report> barrier;
    };
    probe p;
    p.home = &this->domain;
    this->domain.retire(&p, [](quiesce::basic_rcu_head<TypeParam>* h) {
        auto* const self = static_cast<probe*>(h);
        self->home->synchronize();
        self->synchronize = std::exchange(TestFixture::last, std::nullopt);
        self->home->barrier();
        self->barrier = std::exchange(TestFixture::last, std::nullopt);
    });
    this->domain.barrier();
    ASSERT_TRUE(p.synchronize.has_value());
    EXPECT_EQ(p.synchronize->kind, misuse::synchronize_in_callback);
    ASSERT_TRUE(p.barrier.has_value());
    EXPECT_EQ(p.barrier->kind, misuse::barrier_in_callback);
}

TYPED_TEST(MisuseOf, UnlockWithoutLockIsReportedAndDoesNothing) {
    this->domain.unlock();
    this->expect(misuse::unlock_without_lock, "rcu_domain::unlock");
    this->domain.lock();
    this->domain.unlock();
    EXPECT_FALSE(TestFixture::last.has_value());
    this->domain.unlock();
    this->expect(misuse::unlock_without_lock, "rcu_domain::unlock");
}

TEST_F(Misuse, AHandlerFindsWhatCameBeforeItWasInstalled) {
    static int prepared;
    static std::atomic<bool> called;
    prepared = 0;
    called = false;
    quiesce::set_report_handler([](const quiesce::misuse_report&) {});
    const std::jthread other([this] {
        while (!called.load(std::memory_order_relaxed)) {
            domain.unlock();
        }
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    prepared = 1;
    quiesce::set_report_handler([](const quiesce::misuse_report&) {
        EXPECT_EQ(prepared, 1);
        called.store(true, std::memory_order_relaxed);
    });
}

TYPED_TEST(MisuseOf, ASecondRetirementIsReportedAndDoesNothing) {
    static int runs;
    runs = 0;
    struct probe : quiesce::basic_rcu_head<TypeParam> {};
    probe p;
    const auto run = [](quiesce::basic_rcu_head<TypeParam>*) { ++runs; };
    this->domain.lock();  // holds the first retirement back
    this->domain.retire(&p, run);
    this->domain.retire(&p, run);
    this->expect(misuse::double_retire, "rcu_retire");
    this->domain.unlock();
    this->domain.barrier();
    EXPECT_EQ(runs, 1);
}

TYPED_TEST(MisuseOf, ASecondDeferralOfAHeadIsReportedAndDoesNothing) {
    static int runs;
    runs = 0;
    quiesce::basic_rcu_head<TypeParam> h;
    const auto run = [](quiesce::basic_rcu_head<TypeParam>*) { ++runs; };
    this->domain.lock();  // holds the first deferral back
    this->domain.free_rcu(&h, run);
    this->domain.free_rcu(&h, run);
    this->expect(misuse::double_retire, "free_rcu");
    this->domain.retire(&h, run);
    this->expect(misuse::double_retire, "rcu_retire");
    this->domain.unlock();
    this->domain.free_rcu_barrier();
    this->domain.barrier();
    EXPECT_EQ(runs, 1);
}

#if QUIESCE_CHECKED
TYPED_TEST(MisuseOf, FreeRcuWithoutAHeadInASectionIsReportedAndDoesNothing) {
    static std::atomic<int> runs;  // of two drivers
    runs = 0;
    quiesce::basic_rcu_domain<TypeParam> other;
    const auto run = [](void*) { ++runs; };
    {
        const std::scoped_lock section(this->domain);
        this->domain.free_rcu(&runs, run);
        this->expect(misuse::free_rcu_in_section, "free_rcu");
        other.free_rcu(&runs, run);
        EXPECT_TRUE(this->domain.try_free_rcu(&runs, run));
        EXPECT_FALSE(TestFixture::last.has_value());
    }
    this->domain.free_rcu_barrier();
    other.free_rcu_barrier();
    EXPECT_EQ(runs, 2);
}
#endif

TYPED_TEST(MisuseOf, FreeRcuBarrierInASectionIsReportedAndReturns) {
    this->domain.lock();
    EXPECT_TRUE(this->domain.try_free_rcu(this, [](void*) {}));
    this->domain.free_rcu_barrier();
    this->expect(misuse::barrier_in_section, "free_rcu_barrier");
    this->domain.unlock();
    this->domain.free_rcu_barrier();
    EXPECT_FALSE(TestFixture::last.has_value());
}

TYPED_TEST(MisuseOf, FlushInASectionIsReportedAndReturns) {
    const std::scoped_lock section(this->domain);
    this->domain.flush_all();
    this->expect(misuse::barrier_in_section, "flush_all");
    EXPECT_FALSE(this->domain.flush_round());
    this->expect(misuse::barrier_in_section, "flush_round");
}

TYPED_TEST(MisuseOf, WaitingForACookieInASectionIsReportedAndReturns) {
    const std::scoped_lock section(this->domain);
    EXPECT_FALSE(this->domain.wait_for(this->domain.start_poll(), 10'000));
    this->expect(misuse::synchronize_in_section, "rcu_domain::wait_for");
}

TYPED_TEST(MisuseOf, WaitingInADeleterOrACallbackIsReported) {
    struct probe : quiesce::basic_rcu_head<TypeParam> {
        quiesce::basic_rcu_domain<TypeParam>* home = nullptr;
        std::vector<quiesce::misuse_report> reports;
        static void wait(quiesce::basic_rcu_head<TypeParam>* h) {
            auto* const self = static_cast<probe*>(h);
            self->home->free_rcu_barrier();
            self->reports.push_back(TestFixture::last.value_or(quiesce::misuse_report{}));
            self->home->barrier();
            self->reports.push_back(TestFixture::last.value_or(quiesce::misuse_report{}));
            self->home->synchronize();
            self->reports.push_back(std::exchange(TestFixture::last, std::nullopt).value_or(quiesce::misuse_report{}));
        }
    };
    probe in_deleter;
    probe in_callback;
    in_deleter.home = in_callback.home = &this->domain;
    this->domain.free_rcu(&in_deleter, &probe::wait);
    this->domain.free_rcu_barrier();
    this->domain.retire(&in_callback, &probe::wait);
    this->domain.barrier();
    for (const probe& p : {in_deleter, in_callback}) {
        ASSERT_EQ(p.reports.size(), 3U);
        EXPECT_EQ(p.reports[0].kind, misuse::barrier_in_callback);
        EXPECT_EQ(p.reports[0].call, "free_rcu_barrier");
        EXPECT_EQ(p.reports[1].kind, misuse::barrier_in_callback);
        EXPECT_EQ(p.reports[1].call, "rcu_barrier");
        EXPECT_EQ(p.reports[2].kind, misuse::synchronize_in_callback);
    }
}

TEST_F(Misuse, AThreadThatEndsInsideASectionIsReported) {
    std::thread([&] { domain.lock(); }).join();
    expect(misuse::thread_exit_in_section, "thread exit");
}

// The older domain's turn at the thread's end is over when the younger one's comes.
TEST_F(Misuse, TheHandlerMayBeTheFirstInAnEndingThreadToUseAnOlderDomain) {
    static rcu_domain* older = nullptr;
    older = &domain;
    quiesce::set_report_handler([](const quiesce::misuse_report&) { const std::scoped_lock section(*older); });
    rcu_domain younger;
    for (int i = 0; i != 3; ++i) {
        std::thread([&] { younger.lock(); }).join();
    }
    EXPECT_EQ(domain.reader_records(), 1U);
}

TYPED_TEST(MisuseOf, ADomainDestroyedWithCallbacksQueuedIsReported) {
    struct probe : quiesce::basic_rcu_head<TypeParam> {};
    probe p;
    {
        quiesce::basic_rcu_domain<TypeParam> short_lived;
        short_lived.stop_driver();
        short_lived.retire(&p, [](quiesce::basic_rcu_head<TypeParam>*) {});
    }
    this->expect(misuse::domain_destroyed_with_callbacks, "~rcu_domain");
}

TYPED_TEST(MisuseOf, ADomainDestroyedWithFreesCollectedIsReported) {
    {
        quiesce::basic_rcu_domain<TypeParam> short_lived;
        short_lived.stop_driver();
        short_lived.free_rcu(this, [](void*) { FAIL(); });
    }
    this->expect(misuse::domain_destroyed_with_frees, "~rcu_domain");
    quiesce::basic_rcu_head<TypeParam> h;
    {
        quiesce::basic_rcu_domain<TypeParam> short_lived;
        short_lived.stop_driver();
        short_lived.free_rcu(&h, [](quiesce::basic_rcu_head<TypeParam>*) { FAIL(); });
    }
    this->expect(misuse::domain_destroyed_with_frees, "~rcu_domain");
}

TYPED_TEST(MisuseOf, ADomainDestroyedWithFreesHandedOverIsReported) {
    {
        quiesce::basic_rcu_domain<TypeParam> short_lived;
        short_lived.stop_driver();
        short_lived.free_rcu(this, [](void*) { FAIL(); });
        (void)short_lived.monitor_step();  // to a batch
    }
    this->expect(misuse::domain_destroyed_with_frees, "~rcu_domain");
    {
        quiesce::basic_rcu_domain<TypeParam> short_lived;
        short_lived.stop_driver();
        for (unsigned i = 0; i != quiesce::native_platform::limits().free_block_entries + 1; ++i) {
            short_lived.free_rcu(this, [](void*) { FAIL(); });
        }
    }
    this->expect(misuse::domain_destroyed_with_frees, "~rcu_domain");
}

TYPED_TEST(MisuseOf, ADomainDestroyedAfterAFreeRcuBarrierIsNotReported) {
    {
        quiesce::basic_rcu_domain<TypeParam> short_lived;
        short_lived.free_rcu(this, [](void*) {});
        short_lived.free_rcu_barrier();
    }
    EXPECT_FALSE(TestFixture::last.has_value());
}

TYPED_TEST(MisuseOf, StepsTakenInsideACallbackDoNotHideThatItIsOne) {
    struct probe : quiesce::basic_rcu_head<TypeParam> {
        quiesce::basic_rcu_domain<TypeParam>* home = nullptr;
        std::optional<quiesce::misuse_report> report;
    };
    probe p;
    p.home = &this->domain;
    this->domain.retire(&p, [](quiesce::basic_rcu_head<TypeParam>* h) {
        auto* const self = static_cast<probe*>(h);
        (void)self->home->reclaim_step();
        self->home->barrier();
        self->report = std::exchange(TestFixture::last, std::nullopt);
    });
    this->domain.barrier();
    ASSERT_TRUE(p.report.has_value());
    EXPECT_EQ(p.report->kind, misuse::barrier_in_callback);
}

TEST_F(Misuse, TooManyDomainsAreReported) {
    std::vector<std::unique_ptr<rcu_domain>> domains;
    EXPECT_THROW(
        for (;;) { domains.push_back(std::make_unique<rcu_domain>()); }, std::bad_alloc);
    expect(misuse::too_many_domains, "rcu_domain");
    EXPECT_GE(domains.size(), 500U);
    domains.clear();
    const rcu_domain again;
    EXPECT_FALSE(last.has_value());
}

TEST(MisuseDeathTest, TheDefaultHandlerNamesTheCallAndAborts) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_DEATH(
        {
            rcu_domain domain;
            const std::scoped_lock section(domain);
            domain.synchronize();
        },
        "quiesce: misuse in rcu_synchronize: waiting for a grace period inside a read-side critical section");
}

}  // namespace
