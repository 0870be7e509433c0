// What the default handler of stall reports prints, and how often; and what time-out a domain begins with.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>

#include "quiesce/detail/rate_limit.hpp"
#include "tsan_tests/stall_support.hpp"

namespace {

using namespace quiesce::tests;
using quiesce::rcu_domain;
using quiesce::stall_kind;
using quiesce::stall_report;
using std::chrono::steady_clock;

stall_report a_report(stall_kind kind) {
    stall_report r;
    r.kind = kind;
    r.domain = reinterpret_cast<const void*>(0x1000);
    r.domain_name = "tasks";
    r.grace_period = 12;
    r.waited_ms = 21'003;
    r.callbacks = 3;
    r.deferred = 40;
    r.limit_exceeded = 5;
    r.large_blocks = 2;
    r.large_bytes = 8'192;
    r.caches_listed = true;
    return r;
}

/// What the default handler prints of it.
std::string printed(const stall_report& r) {
    const quiesce::stall_options standard = quiesce::native::default_stall_options();
    testing::internal::CaptureStderr();
    standard.handler(r, standard.context);
    return testing::internal::GetCapturedStderr();
}

/// After what earlier tests had printed.
bool admits(stall_kind kind) {
    return eventually([kind] { return !printed(a_report(kind)).empty(); });
}

TEST(StallText, SaysWhoSinceWhenAndWhatPilesUp) {
    stall_report r = a_report(stall_kind::readers);
    r.readers[0] = {1234, {"worker"}, 3, 10'502};
    r.readers[1] = {77, {}, 1, 10'600};
    r.reader_count = 2;
    r.other_readers = 4;
    quiesce::cache_usage nodes;
    nodes.name = "nodes";
    nodes.in_use = 7;
    nodes.in_flight = 30;
    nodes.slabs = 1;
    nodes.bytes = 65'536;
    r.caches.push_back(nodes);
    EXPECT_EQ(describe(r),
              "quiesce: grace period 12 of domain tasks (0x1000) has waited for readers for 21003 ms\n"
              "  thread 1234 (worker) has been in one section for at least 10502 ms, and is 3 grace periods behind\n"
              "  thread 77 has been in one section for at least 10600 ms, and is 1 grace period behind\n"
              "  and 4 others\n"
              "  pending: 3 callbacks, 40 deferred frees (limit exceeded 5 times), 2 large blocks of 8192 bytes\n"
              "  cache nodes: open (in flight: 30, quarantined: 0, in use: 7), 1 slab, 65536 bytes\n");
}

TEST(StallText, SaysThatItIsOver) {
    EXPECT_EQ(describe(a_report(stall_kind::readers_over)),
              "quiesce: grace period 12 of domain tasks (0x1000) ended after 21003 ms\n");
}

TEST(StallText, SaysThatTheBacklogIsOverItsLimit) {
    stall_report r = a_report(stall_kind::backlog);
    r.domain_name = {};
    r.caches_listed = false;
    EXPECT_EQ(describe(r),
              "quiesce: frees exceed the limit of the backlog of domain 0x1000\n"
              "  pending: 3 callbacks, 40 deferred frees (limit exceeded 5 times), 2 large blocks of 8192 bytes\n"
              "  no memory for the list of caches\n");
}

TEST(StallPrint, TheLimitIsOpenAtFirstAndThenOnceInAnInterval) {
    quiesce::detail::rate_limit<quiesce::native_platform> limit;
    EXPECT_EQ(limit.admit(0, 100), std::optional<std::uint64_t>(0));
    EXPECT_EQ(limit.admit(0, 100), std::nullopt);
    EXPECT_EQ(limit.admit(99, 100), std::nullopt);
    EXPECT_EQ(limit.admit(100, 100), std::optional<std::uint64_t>(2));
    EXPECT_EQ(limit.admit(199, 100), std::nullopt);
    EXPECT_EQ(limit.admit(1'000, 100), std::optional<std::uint64_t>(1));
    EXPECT_EQ(limit.admit(1'100, 100), std::optional<std::uint64_t>(0));
}

// However long the machine takes between the calls.
TEST(StallPrint, PrintsOnceInAnIntervalAndSaysHowManyItLeftOut) {
    const unsigned before = quiesce::set_stall_print_interval(50);
    ASSERT_TRUE(admits(stall_kind::readers));
    const stall_report r = a_report(stall_kind::readers);
    auto last = steady_clock::now();
    const auto deadline = last + patience;
    unsigned left_out = 0;
    for (int prints = 0; prints != 4;) {
        const std::string text = printed(r);
        const auto now = steady_clock::now();
        ASSERT_LT(now, deadline);
        if (text.empty()) {
            ++left_out;
            continue;
        }
        std::string expected = describe(r);
        if (left_out != 0) {
            expected += "  " + std::to_string(left_out) + (left_out == 1 ? " report" : " reports") +
                        " of this kind not printed before\n";
        }
        EXPECT_EQ(text, expected);
        if (prints != 0) {
            // Rounded: the clock of the limit leaves out fractions, and the first time is that after the call.
            EXPECT_GE(now - last, 40ms);
        }
        last = now;
        left_out = 0;
        ++prints;
    }
    EXPECT_EQ(quiesce::set_stall_print_interval(before), 50U);
}

TEST(StallPrint, PrintsWhatADomainTellsWithoutAHandler) {
    const unsigned before = quiesce::set_stall_print_interval(0);
    ASSERT_TRUE(admits(stall_kind::readers));
    ASSERT_TRUE(admits(stall_kind::readers_over));
    testing::internal::CaptureStderr();
    {
        rcu_domain domain;
        domain.report_stalls({.after_ms = 20, .domain_name = "printed"});
        kept_stalls kept;
        std::optional<reader> stays(std::in_place, domain);
        const rcu_domain::cookie cookie = domain.start_poll();
        std::this_thread::sleep_for(50ms);
        stays.reset();
        domain.wait(cookie);
        // Who found the end may be printing it yet.
        domain.report_stalls(kept.options());
    }
    const std::string text = testing::internal::GetCapturedStderr();
    EXPECT_NE(text.find("of domain printed ("), std::string::npos) << text;
    EXPECT_NE(text.find("has waited for readers for"), std::string::npos) << text;
    EXPECT_NE(text.find("ended after"), std::string::npos) << text;
    quiesce::set_stall_print_interval(before);
}

// A process of its own for each: what the environment says is read once.
class StallEnvironmentDeathTest : public testing::Test {
protected:
    StallEnvironmentDeathTest() { testing::FLAGS_gtest_death_test_style = "threadsafe"; }
    ~StallEnvironmentDeathTest() override { ::unsetenv(variable); }

    static void set(const char* value) { ::setenv(variable, value, 1); }
    static void exit_with_timeout_of(unsigned expected) {
        std::exit(quiesce::native::default_stall_options().after_ms == expected ? 0 : 1);
    }

    static constexpr const char* variable = "QUIESCE_STALL_TIMEOUT_MS";
    static constexpr unsigned standard = quiesce::native_platform::limits().stall_timeout_ms;
};

TEST_F(StallEnvironmentDeathTest, SaysTheTimeout) {
    set("1500");
    EXPECT_EXIT(exit_with_timeout_of(1'500), testing::ExitedWithCode(0), "");
}

TEST_F(StallEnvironmentDeathTest, MayTurnReportsOff) {
    set("0");
    EXPECT_EXIT(exit_with_timeout_of(0), testing::ExitedWithCode(0), "");
}

TEST_F(StallEnvironmentDeathTest, WhatIsNoNumberIsSaidAndLeftAlone) {
    set("5s");
    EXPECT_EXIT(exit_with_timeout_of(standard), testing::ExitedWithCode(0), "is not a number of milliseconds: 5s");
}

TEST_F(StallEnvironmentDeathTest, WithoutItTheTimeoutIsThatOfLinux) {
    EXPECT_EXIT(exit_with_timeout_of(21'000), testing::ExitedWithCode(0), "");
}

}  // namespace
