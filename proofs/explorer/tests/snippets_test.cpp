// The program that documents and the explorer's header show. tools/cmake/test_snippets.cmake compares it.
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <vector>

#include <quiesce/explorer.hpp>

#include "proofs/explorer/tests/expect.hpp"

namespace {

TEST(Snippets, StoreBufferingHasFourExecutions) {
    // clang-format off
    namespace ex = quiesce::explorer;

    ex::report r = ex::explore([] {
        ex::atomic<int> x{0}, y{0};
        int a = 0, b = 0;
        ex::thread t1([&] { x.store(1, std::memory_order_relaxed); a = y.load(std::memory_order_relaxed); });
        ex::thread t2([&] { y.store(1, std::memory_order_relaxed); b = x.load(std::memory_order_relaxed); });
        t1.join();
        t2.join();
        ex::outcome(a, b);
    });
    // clang-format on
    ex::expect_exhausted(r, 4);
    const std::map<std::vector<std::int64_t>, std::uint64_t> each_once{
        {{0, 0}, 1}, {{0, 1}, 1}, {{1, 0}, 1}, {{1, 1}, 1}};
    EXPECT_EQ(r.outcomes, each_once);
}

}  // namespace
