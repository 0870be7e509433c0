// What the tests of staged caches share.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <cstdint>
#include <latch>
#include <new>
#include <optional>
#include <string_view>
#include <vector>

#include "quiesce/staged_cache.hpp"
#include "tsan_tests/cache_support.hpp"

namespace quiesce::tests {

inline constexpr unsigned low = native_platform::limits().staged_low_watermark;
inline constexpr unsigned high = native_platform::limits().staged_high_watermark;
inline constexpr unsigned shards = native_platform::limits().shards;

/// What the objects of a cache come to, by those that allocated them.
struct node {
    std::atomic<int>* returned;
    std::uint64_t value;

    static void destruct(void* memory) {
        auto* const self = static_cast<node*>(memory);
        self->value = 0;
        self->returned->fetch_add(1);
    }
};

/// Keeps the calling thread on one processor, and so on one shard, where there are several.
class pinned {
public:
    explicit pinned(int which) {
        (void)::sched_getaffinity(0, sizeof(before_), &before_);
        cpu_set_t one;
        CPU_ZERO(&one);
        for (int cpu = 0; cpu != CPU_SETSIZE; ++cpu) {
            if (CPU_ISSET(cpu, &before_) && which-- == 0) {
                CPU_SET(cpu, &one);
                moved_ = ::sched_setaffinity(0, sizeof(one), &one) == 0;
                return;
            }
        }
    }
    pinned(const pinned&) = delete;
    pinned& operator=(const pinned&) = delete;
    ~pinned() { (void)::sched_setaffinity(0, sizeof(before_), &before_); }

    bool moved() const { return moved_; }
    unsigned shard() const { return native_platform::this_shard() % shards; }

private:
    cpu_set_t before_;
    bool moved_ = false;
};

class StagedCache : public testing::Test {
protected:
    ~StagedCache() override {
        cache.reset();
        for (const kept_report& r : kept_reports::take()) {
            ADD_FAILURE() << r.call << ": " << describe(r.kind) << " (" << r.cache << ")";
        }
    }

    static staged_cache_options options(staged_destroy how = staged_destroy::draining,
                                        std::string_view name = "nodes") {
        staged_cache_options o;
        o.name = name;
        o.size = sizeof(node);
        o.alignment = alignof(node);
        o.on_destroy = how;
        o.destruct = &node::destruct;
        return o;
    }

    void make(staged_destroy how) {
        cache.reset();
        cache.emplace(first, tasks, options(how));
    }

    node* allocate() {
        void* const memory = cache->allocate();
        return memory == nullptr ? nullptr : ::new (memory) node{&returned, 0x1234};
    }

    /// Until the callbacks of both stages that are queued have run.
    void wait_for_both_stages() {
        first.barrier();
        tasks.barrier();
    }

    // `destroy` leaves all it does to the worker while a refill is not over.
    void wait_for_refills() {
        struct task : rcu_head {
            std::latch reached{1};
        } behind;
        first.run_on_worker(&behind, [](rcu_head* h) { static_cast<task*>(h)->reached.count_down(); });
        behind.reached.wait();
    }

    static void expect_reported(misuse kind, std::string_view call) {
        const std::vector<kept_report> found = kept_reports::take();
        ASSERT_EQ(found.size(), 1U);
        EXPECT_STREQ(describe(found[0].kind), describe(kind));
        EXPECT_EQ(found[0].call, call);
        EXPECT_EQ(found[0].cache, "nodes");
    }

    std::atomic<int> returned{0};
    rcu_domain first;
    rcu_domain tasks;
    kept_reports reports;
    std::optional<staged_cache> cache{std::in_place, first, tasks, options()};
};

}  // namespace quiesce::tests
