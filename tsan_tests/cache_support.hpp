// What the tests of object caches share.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quiesce/object_cache.hpp"
#include "tsan_tests/domain_kinds.hpp"
#include "tsan_tests/free_rcu_support.hpp"

namespace quiesce::tests {

/// A report that outlives what it is about.
struct kept_report {
    misuse kind;
    std::string call;
    std::string cache;
    std::uint64_t objects;
    allocation_sites sites;
};

/// Keeps the reports of a test, of whatever thread, instead of aborting.
class kept_reports {
public:
    kept_reports() {
        (void)take();
        set_report_handler([](const misuse_report& r) {
            const std::scoped_lock hold(lock_);
            kept_.push_back({r.kind, std::string(r.call), std::string(r.cache), r.objects, r.sites});
        });
    }
    kept_reports(const kept_reports&) = delete;
    kept_reports& operator=(const kept_reports&) = delete;
    ~kept_reports() { set_report_handler(nullptr); }

    static std::vector<kept_report> take() {
        const std::scoped_lock hold(lock_);
        return std::exchange(kept_, {});
    }
    static std::size_t count() {
        const std::scoped_lock hold(lock_);
        return kept_.size();
    }

private:
    static inline std::mutex lock_;
    static inline std::vector<kept_report> kept_;
};

/// A domain for caches. What a test does not take of the reports fails it, and so does a cache that does not end.
template <class P>
class CacheTestOf : public testing::Test {
protected:
    ~CacheTestOf() override {
        EXPECT_TRUE(eventually(domain, [this] { return domain.caches().empty(); }));
        for (const kept_report& r : kept_reports::take()) {
            ADD_FAILURE() << r.call << ": " << describe(r.kind) << " (" << r.cache << ")";
        }
    }

    std::atomic<int> deleted{0};
    basic_rcu_domain<P> domain;
    // Younger than the domain, so that nothing hides what the domain's destructor reports.
    kept_reports reports;
};
using CacheTest = CacheTestOf<native_platform>;

/// For INSTANTIATE_TEST_SUITE_P and TYPED_TEST_SUITE.
inline constexpr std::array strategy_names = {"wait", "async", "last_free"};
inline std::string name_of(const testing::TestParamInfo<destroy_strategy>& strategy) {
    return strategy_names[static_cast<std::size_t>(strategy.param)];
}

/// What is held when a cache ends is reported once, except by `last_free`.
template <class P>
void expect_held(basic_rcu_domain<P>& domain, destroy_strategy strategy, std::uint64_t objects) {
    if (strategy == destroy_strategy::last_free) {
        return;
    }
    EXPECT_TRUE(eventually(domain, [] { return kept_reports::count() != 0; }));
    const std::vector<kept_report> found = kept_reports::take();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].kind, misuse::objects_held_at_destroy);
    EXPECT_EQ(found[0].call, "destroy");
    EXPECT_EQ(found[0].cache, "objects");
    EXPECT_EQ(found[0].objects, objects);
}

/// For on_end.
using ended_flag = std::atomic<int>;
inline void count_end(void* context) {
    static_cast<ended_flag*>(context)->fetch_add(1);
}

/// Every stress test prints it; QUIESCE_SEED sets it.
inline std::uint64_t seed_of_this_run() {
    const char* const given = std::getenv("QUIESCE_SEED");
    const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
    return seed;
}

/// How long a stress test runs.
inline constexpr auto stress_time = 300ms;

}  // namespace quiesce::tests
