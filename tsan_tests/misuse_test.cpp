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

#include "quiesce/free_rcu.hpp"

namespace {

using quiesce::misuse;
using quiesce::rcu_domain;

// Keeps the reports of a test instead of aborting.
class Misuse : public testing::Test {
protected:
    Misuse() {
        last.reset();
        quiesce::set_report_handler([](const quiesce::misuse_report& r) { last = r; });
    }
    ~Misuse() override { quiesce::set_report_handler(nullptr); }

    void expect(misuse kind, std::string_view call) {
        ASSERT_TRUE(last.has_value());
        EXPECT_EQ(last->kind, kind);
        EXPECT_EQ(last->call, call);
        last.reset();
    }

    static inline std::optional<quiesce::misuse_report> last;
    rcu_domain domain;
};

TEST_F(Misuse, SynchronizeInASectionIsReportedAndReturns) {
    const std::scoped_lock section(domain);
    domain.synchronize();
    expect(misuse::synchronize_in_section, "rcu_synchronize");
}

TEST_F(Misuse, BarrierInASectionIsReportedAndReturns) {
    const std::scoped_lock section(domain);
    domain.barrier();
    expect(misuse::barrier_in_section, "rcu_barrier");
}

TEST_F(Misuse, SynchronizeAndBarrierInACallbackAreReported) {
    struct probe : quiesce::rcu_head {
        rcu_domain* home = nullptr;
        std::optional<quiesce::misuse_report> synchronize;
        std::optional<quiesce::misuse_report> barrier;
    };
    probe p;
    p.home = &domain;
    domain.retire(&p, [](quiesce::rcu_head* h) {
        auto* const self = static_cast<probe*>(h);
        self->home->synchronize();
        self->synchronize = std::exchange(last, std::nullopt);
        self->home->barrier();
        self->barrier = std::exchange(last, std::nullopt);
    });
    domain.barrier();
    ASSERT_TRUE(p.synchronize.has_value());
    EXPECT_EQ(p.synchronize->kind, misuse::synchronize_in_callback);
    ASSERT_TRUE(p.barrier.has_value());
    EXPECT_EQ(p.barrier->kind, misuse::barrier_in_callback);
}

TEST_F(Misuse, UnlockWithoutLockIsReportedAndDoesNothing) {
    domain.unlock();
    expect(misuse::unlock_without_lock, "rcu_domain::unlock");
    domain.lock();
    domain.unlock();
    EXPECT_FALSE(last.has_value());
    domain.unlock();
    expect(misuse::unlock_without_lock, "rcu_domain::unlock");
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

TEST_F(Misuse, ASecondRetirementIsReportedAndDoesNothing) {
    static int runs;
    runs = 0;
    struct probe : quiesce::rcu_head {};
    probe p;
    const auto run = [](quiesce::rcu_head*) { ++runs; };
    domain.lock();  // holds the first retirement back
    domain.retire(&p, run);
    domain.retire(&p, run);
    expect(misuse::double_retire, "rcu_retire");
    domain.unlock();
    domain.barrier();
    EXPECT_EQ(runs, 1);
}

TEST_F(Misuse, ASecondDeferralOfAHeadIsReportedAndDoesNothing) {
    static int runs;
    runs = 0;
    quiesce::rcu_head h;
    const auto run = [](quiesce::rcu_head*) { ++runs; };
    domain.lock();  // holds the first deferral back
    domain.free_rcu(&h, run);
    domain.free_rcu(&h, run);
    expect(misuse::double_retire, "free_rcu");
    domain.retire(&h, run);
    expect(misuse::double_retire, "rcu_retire");
    domain.unlock();
    domain.free_rcu_barrier();
    domain.barrier();
    EXPECT_EQ(runs, 1);
}

#if QUIESCE_CHECKED
TEST_F(Misuse, FreeRcuWithoutAHeadInASectionIsReportedAndDoesNothing) {
    static std::atomic<int> runs;  // of two drivers
    runs = 0;
    rcu_domain other;
    const auto run = [](void*) { ++runs; };
    {
        const std::scoped_lock section(domain);
        domain.free_rcu(&runs, run);
        expect(misuse::free_rcu_in_section, "free_rcu");
        other.free_rcu(&runs, run);
        EXPECT_TRUE(domain.try_free_rcu(&runs, run));
        EXPECT_FALSE(last.has_value());
    }
    domain.free_rcu_barrier();
    other.free_rcu_barrier();
    EXPECT_EQ(runs, 2);
}
#endif

TEST_F(Misuse, FreeRcuBarrierInASectionIsReportedAndReturns) {
    domain.lock();
    EXPECT_TRUE(domain.try_free_rcu(this, [](void*) {}));
    domain.free_rcu_barrier();
    expect(misuse::barrier_in_section, "free_rcu_barrier");
    domain.unlock();
    domain.free_rcu_barrier();
    EXPECT_FALSE(last.has_value());
}

TEST_F(Misuse, FlushInASectionIsReportedAndReturns) {
    const std::scoped_lock section(domain);
    domain.flush_all();
    expect(misuse::barrier_in_section, "flush_all");
    EXPECT_FALSE(domain.flush_round());
    expect(misuse::barrier_in_section, "flush_round");
}

TEST_F(Misuse, WaitingForACookieInASectionIsReportedAndReturns) {
    const std::scoped_lock section(domain);
    EXPECT_FALSE(domain.wait_for(domain.start_poll(), 10'000));
    expect(misuse::synchronize_in_section, "rcu_domain::wait_for");
}

TEST_F(Misuse, WaitingInADeleterOrACallbackIsReported) {
    struct probe : quiesce::rcu_head {
        rcu_domain* home = nullptr;
        std::vector<quiesce::misuse_report> reports;
        static void wait(quiesce::rcu_head* h) {
            auto* const self = static_cast<probe*>(h);
            self->home->free_rcu_barrier();
            self->reports.push_back(last.value_or(quiesce::misuse_report{}));
            self->home->barrier();
            self->reports.push_back(last.value_or(quiesce::misuse_report{}));
            self->home->synchronize();
            self->reports.push_back(std::exchange(last, std::nullopt).value_or(quiesce::misuse_report{}));
        }
    };
    probe in_deleter;
    probe in_callback;
    in_deleter.home = in_callback.home = &domain;
    domain.free_rcu(&in_deleter, &probe::wait);
    domain.free_rcu_barrier();
    domain.retire(&in_callback, &probe::wait);
    domain.barrier();
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

TEST_F(Misuse, ADomainDestroyedWithCallbacksQueuedIsReported) {
    struct probe : quiesce::rcu_head {};
    probe p;
    {
        rcu_domain short_lived;
        short_lived.stop_driver();
        short_lived.retire(&p, [](quiesce::rcu_head*) {});
    }
    expect(misuse::domain_destroyed_with_callbacks, "~rcu_domain");
}

TEST_F(Misuse, ADomainDestroyedWithFreesCollectedIsReported) {
    {
        rcu_domain short_lived;
        short_lived.stop_driver();
        short_lived.free_rcu(this, [](void*) { FAIL(); });
    }
    expect(misuse::domain_destroyed_with_frees, "~rcu_domain");
    quiesce::rcu_head h;
    {
        rcu_domain short_lived;
        short_lived.stop_driver();
        short_lived.free_rcu(&h, [](quiesce::rcu_head*) { FAIL(); });
    }
    expect(misuse::domain_destroyed_with_frees, "~rcu_domain");
}

TEST_F(Misuse, ADomainDestroyedWithFreesHandedOverIsReported) {
    {
        rcu_domain short_lived;
        short_lived.stop_driver();
        short_lived.free_rcu(this, [](void*) { FAIL(); });
        (void)short_lived.monitor_step();  // to a batch
    }
    expect(misuse::domain_destroyed_with_frees, "~rcu_domain");
    {
        rcu_domain short_lived;
        short_lived.stop_driver();
        for (unsigned i = 0; i != quiesce::native_platform::limits().free_block_entries + 1; ++i) {
            short_lived.free_rcu(this, [](void*) { FAIL(); });
        }
    }
    expect(misuse::domain_destroyed_with_frees, "~rcu_domain");
}

TEST_F(Misuse, ADomainDestroyedAfterAFreeRcuBarrierIsNotReported) {
    {
        rcu_domain short_lived;
        short_lived.free_rcu(this, [](void*) {});
        short_lived.free_rcu_barrier();
    }
    EXPECT_FALSE(last.has_value());
}

TEST_F(Misuse, StepsTakenInsideACallbackDoNotHideThatItIsOne) {
    struct probe : quiesce::rcu_head {
        rcu_domain* home = nullptr;
        std::optional<quiesce::misuse_report> report;
    };
    probe p;
    p.home = &domain;
    domain.retire(&p, [](quiesce::rcu_head* h) {
        auto* const self = static_cast<probe*>(h);
        (void)self->home->reclaim_step();
        self->home->barrier();
        self->report = std::exchange(last, std::nullopt);
    });
    domain.barrier();
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
