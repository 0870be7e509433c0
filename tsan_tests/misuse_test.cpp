#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "quiesce/rcu.hpp"

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

TEST_F(Misuse, AThreadThatEndsInsideASectionIsReported) {
    std::thread([&] { domain.lock(); }).join();
    expect(misuse::thread_exit_in_section, "thread exit");
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
