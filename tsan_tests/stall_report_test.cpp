// Reports of readers that do not end: who is named, since when, and what piles up.
#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "quiesce/large_block.hpp"
#include "tsan_tests/cache_support.hpp"
#include "tsan_tests/stall_support.hpp"

namespace {

using namespace quiesce::tests;
using quiesce::rcu_domain;
using quiesce::stall_kind;
using quiesce::stall_report;

/// A thread that reads once, and again where it is told to, in a section in which it stays.
class staying_reader {
public:
    explicit staying_reader(rcu_domain& domain, const char* name)
        : thread_([this, &domain, name] {
              ::pthread_setname_np(::pthread_self(), name);
              number_ = static_cast<std::uint32_t>(::gettid());
              domain.lock();
              domain.unlock();
              read_.count_down();
              enter_.acquire();
              const std::scoped_lock section(domain);
              inside_.count_down();
              (void)leave_.try_acquire_for(patience);
          }) {
        read_.wait();
    }
    ~staying_reader() {
        leave();
        thread_.join();
    }
    staying_reader(const staying_reader&) = delete;
    staying_reader& operator=(const staying_reader&) = delete;

    void enter() {
        enter_.release();
        inside_.wait();
    }
    void leave() {
        if (!std::exchange(left_, true)) {
            leave_.release();
        }
    }
    std::uint32_t number() const { return number_; }

private:
    std::uint32_t number_ = 0;
    bool left_ = false;
    std::latch read_{1};
    std::latch inside_{1};
    std::binary_semaphore enter_{0};
    std::binary_semaphore leave_{0};
    std::thread thread_;
};

TEST_F(StallReport, NamesTheReaderAndSaysHowFarItIsBehind) {
    staying_reader reader(domain, "stays");
    domain.synchronize();
    domain.synchronize();
    domain.synchronize();
    reader.enter();
    const rcu_domain::cookie cookie = domain.start_poll();
    const stall_report r = stalls.first();
    EXPECT_EQ(r.domain, &domain);
    EXPECT_EQ(r.domain_name, "tested");
    EXPECT_EQ(r.grace_period, cookie);
    EXPECT_EQ(r.asked_for, cookie);
    EXPECT_GE(r.waited_ms, kept_stalls::after_ms);
    EXPECT_LE(r.began_ms + r.waited_ms, quiesce::native_platform::now());
    ASSERT_EQ(r.reader_count, 1U);
    EXPECT_EQ(r.other_readers, 0U);
    EXPECT_EQ(r.readers[0].thread, reader.number());
    EXPECT_STREQ(r.readers[0].name.text, "stays");
    EXPECT_EQ(r.readers[0].behind, 4U);
    EXPECT_GE(r.readers[0].for_ms, kept_stalls::after_ms / 2);
    EXPECT_LE(r.readers[0].for_ms, r.waited_ms);
}

TEST_F(StallReport, TellsAgainAfterLongerAndLongerTimes) {
    const reader stays(domain);
    (void)domain.start_poll();
    ASSERT_TRUE(eventually([this] { return stalls.count(stall_kind::readers) >= 3; }));
    const std::vector<stall_report> all = stalls.all();
    EXPECT_GE(all[1].waited_ms, 3 * all[0].waited_ms);
    EXPECT_GE(all[2].waited_ms, 3 * all[1].waited_ms);
    EXPECT_EQ(all[2].grace_period, all[0].grace_period);
}

TEST_F(StallReport, TellsOnceThatItIsOver) {
    std::optional<reader> stays(std::in_place, domain);
    const rcu_domain::cookie cookie = domain.start_poll();
    (void)stalls.first();
    stays.reset();
    const stall_report r = stalls.first(stall_kind::readers_over);
    EXPECT_EQ(r.grace_period, cookie);
    EXPECT_EQ(r.reader_count, 0U);
    domain.synchronize();
    EXPECT_EQ(stalls.count(stall_kind::readers_over), 1U);
}

TEST_F(StallReport, OfAGracePeriodThatEndsInTimeNothingIsTold) {
    domain.report_stalls(stalls.options(10'000));
    std::optional<reader> stays(std::in_place, domain);
    const rcu_domain::cookie cookie = domain.start_poll();
    std::this_thread::sleep_for(30ms);
    stays.reset();
    domain.wait(cookie);
    EXPECT_TRUE(stalls.all().empty());
}

TEST_F(StallReport, ATimeoutOfZeroTurnsReportsOff) {
    domain.report_stalls(stalls.options(0));
    const reader stays(domain);
    (void)domain.start_poll();
    std::this_thread::sleep_for(60ms);
    EXPECT_TRUE(stalls.all().empty());
}

// Every section of theirs may be in the way of a grace period for a moment.
TEST_F(StallReport, ReadersThatEndAreNotNamed) {
    // Long beside any section of theirs, also of a thread that loses the processor.
    domain.report_stalls(stalls.options(200));
    std::atomic<bool> stop{false};
    std::vector<std::jthread> others;
    for (int i = 0; i != 2; ++i) {
        others.emplace_back([&] {
            while (!stop) {
                {
                    const std::scoped_lock section(domain);
                    std::this_thread::sleep_for(1ms);
                }
                // Also one whose thread ends, and whose record the next takes over.
                std::thread([this] { const std::scoped_lock section(domain); }).join();
            }
        });
    }
    for (unsigned round = 0; round != 4; ++round) {
        staying_reader stays(domain, "stays");
        stays.enter();
        (void)domain.start_poll();
        const std::size_t before = stalls.count(stall_kind::readers);
        ASSERT_TRUE(eventually([&] { return stalls.count(stall_kind::readers) != before; }));
        const stall_report r = stalls.all().back();
        ASSERT_EQ(r.reader_count, 1U);
        EXPECT_EQ(r.readers[0].thread, stays.number());
        stays.leave();
        ASSERT_TRUE(eventually([&] { return stalls.count(stall_kind::readers_over) == round + 1; }));
    }
    stop = true;
}

// Its next section is in the way too: when it began the one in which it was found, there was no such grace period.
TEST_F(StallReport, AReaderThatLeftAndCameBackIsNotNamed) {
    domain.stop_driver();
    std::latch inside(1);
    std::latch found(1);
    std::latch back(1);
    std::binary_semaphore leave(0);
    std::jthread returns([&] {
        domain.lock();
        inside.count_down();
        found.wait();
        domain.unlock();
        domain.lock();
        back.count_down();
        (void)leave.try_acquire_for(patience);
        domain.unlock();
    });
    inside.wait();
    domain.lock();
    (void)domain.start_poll();
    (void)domain.advance_grace_period();
    std::this_thread::sleep_for(std::chrono::milliseconds(kept_stalls::after_ms / 2 + 2));
    (void)domain.advance_grace_period();
    EXPECT_TRUE(stalls.all().empty());
    found.count_down();
    back.wait();
    EXPECT_TRUE(eventually([this] {
        EXPECT_EQ(domain.advance_grace_period(), quiesce::step_result::waiting_for_readers);
        return stalls.count(stall_kind::readers) != 0;
    }));
    const stall_report r = stalls.first();
    EXPECT_EQ(r.reader_count, 1U);
    EXPECT_EQ(r.readers[0].thread, static_cast<std::uint32_t>(::gettid()));
    domain.unlock();
    // Now it is: it has stayed there since.
    EXPECT_TRUE(eventually([this] {
        (void)domain.advance_grace_period();
        return stalls.count(stall_kind::readers) == 2;
    }));
    EXPECT_EQ(stalls.all().back().reader_count, 1U);
    EXPECT_NE(stalls.all().back().readers[0].thread, static_cast<std::uint32_t>(::gettid()));
    leave.release();
}

TEST_F(StallReport, CountsTheReadersThatItDoesNotName) {
    std::vector<std::unique_ptr<reader>> readers;
    for (unsigned i = 0; i != stall_report::most_readers + 3; ++i) {
        readers.push_back(std::make_unique<reader>(domain));
    }
    (void)domain.start_poll();
    const stall_report r = stalls.first();
    EXPECT_EQ(r.reader_count, stall_report::most_readers);
    EXPECT_EQ(r.other_readers, 3U);
}

TEST_F(StallReport, WhoWaitsLooksWhereThereIsNoDriver) {
    domain.stop_driver();
    staying_reader stays(domain, "stays");
    stays.enter();
    std::jthread waiter([this] { domain.synchronize(); });
    EXPECT_EQ(stalls.first().readers[0].thread, stays.number());
    stays.leave();
    waiter.join();
    EXPECT_EQ(stalls.count(stall_kind::readers_over), 1U);
}

TEST_F(StallReport, WhoWaitsForALimitedTimeWaitsNoLonger) {
    domain.stop_driver();
    domain.report_stalls(stalls.options(15));
    const reader stays(domain);
    const auto start = std::chrono::steady_clock::now();
    EXPECT_FALSE(domain.wait_for(domain.start_poll(), 200));
    EXPECT_GE(std::chrono::steady_clock::now() - start, 200ms);
    EXPECT_GE(stalls.count(stall_kind::readers), 1U);
}

TEST_F(StallReport, WhoTakesStepsLooks) {
    domain.stop_driver();
    domain.lock();
    (void)domain.start_poll();
    EXPECT_TRUE(eventually([this] {
        (void)domain.advance_grace_period();
        return stalls.count(stall_kind::readers) != 0;
    }));
    EXPECT_EQ(stalls.first().readers[0].thread, static_cast<std::uint32_t>(::gettid()));
    domain.unlock();
    EXPECT_EQ(domain.advance_grace_period(), quiesce::step_result::completed);
}

TEST_F(StallReport, TellsTheBacklogByCache) {
    // Freed after the section.
    std::atomic<int> deleted{0};
    quiesce::object_cache<int> nodes({.name = "nodes"}, domain);
    quiesce::object_cache<int> names({.name = "names"}, domain);
    int* const kept = names.allocate(1);
    struct counted : quiesce::rcu_obj_base<counted> {};
    // What has run is not counted, nor the markers of the barrier.
    (new counted)->retire({}, domain);
    domain.barrier();
    {
        const reader stays(domain);
        for (int i = 0; i != 3; ++i) {
            nodes.free_rcu(nodes.allocate(i));
        }
        defer<headless>(2, deleted, domain);
        quiesce::free_large_rcu(quiesce::allocate_large(10'000, domain), domain);
        (new counted)->retire({}, domain);
        (new counted)->retire({}, domain);
        domain.hurry();
        ASSERT_TRUE(eventually([this] { return domain.backlog() == 6; }));
        domain.report_stalls(stalls.options());
        const stall_report r = stalls.first();
        EXPECT_EQ(r.callbacks, 2U);
        EXPECT_EQ(r.deferred, 6U);
        EXPECT_EQ(r.limit_exceeded, 0U);
        EXPECT_EQ(r.large_blocks, 1U);
        EXPECT_EQ(r.large_bytes, 12'288U);
        EXPECT_TRUE(r.caches_listed);
        ASSERT_EQ(r.caches.size(), 2U);
        const bool nodes_first = r.caches[0].name == "nodes";
        const quiesce::cache_usage& of_nodes = r.caches[nodes_first ? 0 : 1];
        const quiesce::cache_usage& of_names = r.caches[nodes_first ? 1 : 0];
        EXPECT_EQ(of_nodes.name, "nodes");
        EXPECT_EQ(of_nodes.in_flight, 3U);
        EXPECT_EQ(of_names.name, "names");
        EXPECT_EQ(of_names.in_flight, 0U);
        EXPECT_EQ(of_names.in_use, 1U);
        domain.report_stalls(stalls.options(0));
    }
    domain.free_rcu_barrier();
    names.free(kept);
}

TEST_F(StallReport, FreesThatCannotBeSlowedDownAreReported) {
    // A driver would take some of them before there is a full block.
    domain.stop_driver();
    domain.limit_backlog({.hurry_at = 0, .throttle_at = 1, .throttle_ms = 1});
    std::atomic<int> deleted{0};
    (void)domain.advance_grace_period();
    EXPECT_TRUE(stalls.all().empty());
    defer<headless>(block + 1, deleted, domain);
    const std::uint64_t exceeded = domain.backlog_limit_exceeded();
    EXPECT_GE(exceeded, 1U);
    (void)domain.advance_grace_period();
    ASSERT_EQ(stalls.count(stall_kind::backlog), 1U);
    const stall_report r = stalls.first(stall_kind::backlog);
    EXPECT_EQ(r.domain, &domain);
    EXPECT_EQ(r.limit_exceeded, exceeded);
    EXPECT_EQ(r.deferred, static_cast<std::uint64_t>(block));
    EXPECT_EQ(r.reader_count, 0U);
    // Nothing new has come.
    std::this_thread::sleep_for(std::chrono::milliseconds(2 * kept_stalls::after_ms));
    (void)domain.advance_grace_period();
    EXPECT_EQ(stalls.count(stall_kind::backlog), 1U);
    defer<headless>(block, deleted, domain);
    (void)domain.advance_grace_period();
    EXPECT_EQ(stalls.count(stall_kind::backlog), 2U);
    domain.free_rcu_barrier();
    EXPECT_EQ(deleted, 2 * block + 1);
}

TEST_F(StallReport, AThreadThatEndedInsideItsSectionIsStillNamed) {
    const kept_reports misuses;
    std::uint32_t number = 0;
    std::thread([&] {
        number = static_cast<std::uint32_t>(::gettid());
        domain.lock();
    }).join();
    (void)domain.start_poll();
    const stall_report r = stalls.first();
    ASSERT_EQ(r.reader_count, 1U);
    EXPECT_EQ(r.readers[0].thread, number);
    EXPECT_STREQ(r.readers[0].name.text, "");
    EXPECT_EQ(kept_reports::count(), 1U);
}

}  // namespace
