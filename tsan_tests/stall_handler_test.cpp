// Handlers of stall reports: what they may do, and that they are called where nobody else gets on.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <latch>
#include <mutex>
#include <thread>
#include <vector>

#include "quiesce/large_block.hpp"
#include "tsan_tests/cache_support.hpp"
#include "tsan_tests/stall_support.hpp"

namespace {

using namespace quiesce::tests;
using quiesce::rcu_domain;
using quiesce::stall_kind;
using quiesce::stall_report;

/// What a handler does beside hearing.
struct busy_handler {
    rcu_domain& domain;
    quiesce::object_cache<int>& cache;
    std::atomic<int> deleted{0};
    std::atomic<int> heard{0};

    static void hear(const stall_report& r, void* self) noexcept {
        static_cast<busy_handler*>(self)->use_the_domain(r);
    }
    void use_the_domain(const stall_report& r) {
        cache.free_rcu(cache.allocate(1));
        defer<headless>(block + 1, deleted, domain);
        defer<headed>(block + 1, deleted, domain);
        quiesce::free_large_rcu(quiesce::allocate_large(1, domain), domain);
        EXPECT_EQ(domain.caches().size(), 1U);
        EXPECT_FALSE(domain.poll(domain.start_poll()));
        (void)domain.advance_grace_period();
        (void)domain.monitor_step();
        domain.hurry();
        domain.shrink();
        { const std::scoped_lock section(domain); }
        if (r.kind == stall_kind::readers) {
            // Here a grace period would wait for the same reader.
            domain.synchronize();
        }
        // Replaces itself while it runs.
        domain.report_stalls({kept_stalls::after_ms, &hear, this, {}});
        ++heard;
    }
};

TEST_F(StallReport, TheHandlerMayUseTheDomainButNotWait) {
    quiesce::object_cache<int> cache({.name = "objects"}, domain);
    busy_handler handler{domain, cache};
    {
        const kept_reports misuses;
        domain.report_stalls({kept_stalls::after_ms, &busy_handler::hear, &handler, {}});
        {
            const reader stays(domain);
            (void)domain.start_poll();
            // In the driver, then in a thread that waits.
            ASSERT_TRUE(eventually([&] { return handler.heard >= 1; }));
            domain.stop_driver();
            const int before = handler.heard;
            (void)domain.wait_for(domain.start_poll(), 200);
            EXPECT_GT(handler.heard, before);
        }
        domain.report_stalls(stalls.options(0));
        const int told = handler.heard;
        const std::vector<kept_report> found = kept_reports::take();
        EXPECT_EQ(found.size(), static_cast<std::size_t>(told));
        for (const kept_report& r : found) {
            EXPECT_EQ(r.kind, quiesce::misuse::synchronize_in_callback);
        }
    }
    domain.free_rcu_barrier();
    EXPECT_EQ(handler.deleted, handler.heard * 2 * (block + 1));
}

// The caller waits for the reader, which waits for the caller's lock: nobody goes on, and the report says who.
TEST_F(StallReport, NamesTheReaderThatWaitsForALockOfWhoWaits) {
    std::timed_mutex lock;
    std::atomic<bool> told{false};
    std::unique_lock held(lock);
    const reader_of_a_lock reads(domain, lock, [&told] { return told.load(); });
    std::jthread ends_it([&] {
        const stall_report r = stalls.first();
        EXPECT_EQ(r.reader_count, 1U);
        EXPECT_EQ(r.readers[0].thread, reads.number());
        told = true;
    });
    domain.synchronize();
}

}  // namespace
