// A process whose address space is limited floods free_rcu. An executable of its own, since the limit is the process's,
// and not with a sanitizer: what sanitizers reserve is more than any limit.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

#include "quiesce/large_block.hpp"
#include "quiesce/object_cache.hpp"
#include "tsan_tests/free_rcu_support.hpp"

namespace {

using namespace quiesce::tests;

/// Filled, so that it takes memory and not only addresses.
struct node {
    explicit node(std::atomic<long>& count) : alive(&count) {
        alive->fetch_add(1, std::memory_order_relaxed);
        std::memset(filling, 1, sizeof filling);
    }
    ~node() { alive->fetch_sub(1, std::memory_order_relaxed); }
    std::atomic<long>* alive;
    char filling[4000];
};

// Bytes of address space that the process has.
std::size_t address_space() {
    std::FILE* const file = std::fopen("/proc/self/statm", "r");
    unsigned long pages = 0;
    const int found = std::fscanf(file, "%lu", &pages);
    std::fclose(file);
    return found == 1 ? pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

TEST(AddressSpaceLimit, AFloodOfFreesSurvivesItAndEndsWithNothingLeft) {
    static std::atomic<long> alive{0};
    std::atomic<bool> stop{false};
    std::atomic<bool> go{false};
    std::atomic<unsigned long> freed{0};
    std::atomic<unsigned long> nothing_left{0};
    quiesce::rcu_domain domain;
    // As much as there is: the flood ends at the limit, not before.
    domain.limit_backlog({.hurry_at = 0, .throttle_at = 0, .throttle_ms = 0});
    quiesce::object_cache<node> cache({.name = "nodes"}, domain);
    quiesce::free_rcu(new node(alive), std::default_delete<node>(), domain);
    domain.free_rcu_barrier();  // the driver runs
    {
        std::vector<std::jthread> threads;
        threads.emplace_back([&] {
            // Each section lasts until memory has run out, so nothing is freed before; but the producers may all be
            // waiting for its end.
            while (!stop) {
                const std::scoped_lock section(domain);
                const unsigned long before = nothing_left;
                const auto end = std::chrono::steady_clock::now() + 500ms;
                while (!stop && nothing_left == before && std::chrono::steady_clock::now() < end) {
                    std::this_thread::sleep_for(1ms);
                }
            }
        });
        for (int t = 0; t != 2; ++t) {
            threads.emplace_back([&] {
                while (!go) {
                }
                for (unsigned i = 0; !stop; ++i) {
                    bool had = false;
                    if (auto* const n = new (std::nothrow) node(alive); n != nullptr) {
                        quiesce::free_rcu(n, std::default_delete<node>(), domain);
                        had = true;
                    }
                    if (void* const block = quiesce::allocate_large(8000, domain); block != nullptr) {
                        std::memset(block, 1, 8000);
                        quiesce::free_rcu(block, domain);
                        had = true;
                    }
                    try {
                        cache.free_rcu(cache.allocate(alive));
                        had = true;
                    } catch (const std::bad_alloc&) {
                        // Counted below.
                    }
                    freed += had ? 1 : 0;
                    if (!had) {
                        ++nothing_left;
                        if (i % 64 == 0) {
                            domain.shrink();
                        }
                        std::this_thread::yield();
                    }
                }
            });
        }
        std::this_thread::sleep_for(50ms);
        const rlimit limit{address_space() + (std::size_t{24} << 20), RLIM_INFINITY};
        ASSERT_EQ(::setrlimit(RLIMIT_AS, &limit), 0);
        go = true;
        std::this_thread::sleep_for(2s);
        EXPECT_TRUE(eventually([&] { return nothing_left > 10 && freed > 1000; }));
        stop = true;
    }
    domain.free_rcu_barrier();
    const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    ASSERT_EQ(::setrlimit(RLIMIT_AS, &unlimited), 0);
    std::printf("%lu rounds freed, %lu found no memory\n", freed.load(), nothing_left.load());
    EXPECT_EQ(alive, 0);
    EXPECT_EQ(domain.backlog(), 0U);
    EXPECT_EQ(domain.large_blocks().blocks, 0U);
    EXPECT_EQ(cache.usage().in_use, 0U);
    EXPECT_EQ(cache.usage().in_flight, 0U);
}

}  // namespace
