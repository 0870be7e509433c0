#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <mutex>
#include <thread>
#include <vector>

#include "tsan_tests/domain_kinds.hpp"

namespace {

using quiesce::rcu_domain;
using quiesce::step_result;
using namespace std::chrono_literals;

/// For what holds with a driver and in one thread.
template <class P>
class GracePeriodOf : public testing::Test {};

TYPED_TEST_SUITE(GracePeriodOf, quiesce::tests::domain_kinds, quiesce::tests::domain_kind_name);

TYPED_TEST(GracePeriodOf, EndsAtOnceWithoutReaders) {
    using domain_type = quiesce::basic_rcu_domain<TypeParam>;
    domain_type domain;
    domain.synchronize();
}

TEST(GracePeriod, WaitsForASectionThatIsOpen) {
    rcu_domain domain;
    std::latch open(1);
    std::atomic<bool> section_over{false};
    std::jthread reader([&] {
        const std::scoped_lock section(domain);
        open.count_down();
        std::this_thread::sleep_for(20ms);
        section_over = true;
    });
    open.wait();
    domain.synchronize();
    EXPECT_TRUE(section_over);
}

TYPED_TEST(GracePeriodOf, DoesNotWaitForASectionThatBeganAfterIt) {
    using domain_type = quiesce::basic_rcu_domain<TypeParam>;
    domain_type domain;
    const typename domain_type::cookie cookie = domain.start_poll();
    // The driver may see this section's announcement only if the grace period began after it.
    ASSERT_TRUE(quiesce::tests::eventually(domain, [&] { return domain.poll(cookie); }));
    const std::scoped_lock section(domain);
    EXPECT_TRUE(domain.poll(cookie));
}

TYPED_TEST(GracePeriodOf, ACookieIsNotDoneWhileAnOlderSectionIsOpen) {
    using domain_type = quiesce::basic_rcu_domain<TypeParam>;
    domain_type domain;
    domain.lock();
    const typename domain_type::cookie cookie = domain.start_poll();
    quiesce::tests::tempt(domain);
    EXPECT_FALSE(domain.poll(cookie));
    domain.unlock();
    domain.wait(cookie);
    EXPECT_TRUE(domain.poll(cookie));
}

TYPED_TEST(GracePeriodOf, ACookieAskedForIsServedWithoutFurtherCalls) {
    using domain_type = quiesce::basic_rcu_domain<TypeParam>;
    domain_type domain;
    const typename domain_type::cookie cookie = domain.start_poll();
    EXPECT_TRUE(quiesce::tests::eventually(domain, [&] { return domain.poll(cookie); }));
}

// A futex compares 32 bits. Natively the numbers begin just below the largest of them.
TEST(GracePeriod, AWriterParkedOnAReaderIsWokenWhateverTheNumber) {
    constexpr std::uint64_t first = quiesce::native_platform::limits().first_grace_period;
    constexpr std::uint64_t until = (std::uint64_t{1} << 32U) + 16;
    static_assert(first < until && until - first < 1'000);
    rcu_domain domain;
    while (domain.start_poll() < until - 32) {
        domain.synchronize();
    }
    for (int i = 0; i != 64; ++i) {
        domain.lock();
        std::jthread writer([&domain] { domain.synchronize(); });
        std::this_thread::sleep_for(2ms);
        domain.unlock();
    }
    EXPECT_GT(domain.start_poll(), until);
}

TYPED_TEST(GracePeriodOf, StepsSayWhatTheyWaitFor) {
    using domain_type = quiesce::basic_rcu_domain<TypeParam>;
    domain_type domain;
    domain.stop_driver();
    EXPECT_EQ(domain.advance_grace_period(), step_result::idle);
    (void)domain.start_poll();
    domain.lock();
    // This section began before the step that begins the grace period.
    EXPECT_EQ(domain.advance_grace_period(), step_result::waiting_for_readers);
    EXPECT_EQ(domain.advance_grace_period(), step_result::waiting_for_readers);
    domain.unlock();
    EXPECT_EQ(domain.advance_grace_period(), step_result::completed);
    EXPECT_EQ(domain.advance_grace_period(), step_result::idle);
}

TEST(GracePeriod, ConcurrentCallersAllReturn) {
    rcu_domain domain;
    std::atomic<bool> stop{false};
    std::jthread reader([&] {
        while (!stop) {
            const std::scoped_lock section(domain);
        }
    });
    {
        std::vector<std::jthread> callers;
        for (int i = 0; i != 4; ++i) {
            callers.emplace_back([&] {
                for (int n = 0; n != 200; ++n) {
                    domain.synchronize();
                }
            });
        }
    }
    stop = true;
}

TEST(GracePeriod, AWriterParkedOnAReaderIsWokenEveryTime) {
    rcu_domain domain;
    std::atomic<bool> stop{false};
    std::jthread reader([&] {
        while (!stop) {
            const std::scoped_lock section(domain);
            std::this_thread::sleep_for(50us);  // long enough for the writer to park
        }
    });
    for (int n = 0; n != 300; ++n) {
        domain.synchronize();
    }
    stop = true;
}

// A writer that wakes late may find the reader in its next section, of whose end nobody would tell it.
TEST(GracePeriod, WritersReturnAlsoWhenTheReaderComesBackAtOnce) {
    quiesce::rcu_domain domain;
    std::atomic<bool> stop{false};
    std::jthread returning([&] {
        while (!stop) {
            const std::scoped_lock section(domain);
            std::this_thread::sleep_for(std::chrono::microseconds(20));
        }
    });
    const auto rounds = [&] {
        for (int i = 0; i != 500; ++i) {
            EXPECT_TRUE(domain.wait_for(domain.start_poll(), 5'000));
        }
    };
    std::jthread other(rounds);
    rounds();
    other.join();
    stop = true;
}

}  // namespace
