// Accesses of executions that there are race, and of others do not.
#include <gtest/gtest.h>

#include <quiesce/explorer.hpp>

#include <atomic>

namespace {

using namespace quiesce::explorer;

// The exchange has read the initial value, so the addition can only read what the exchange wrote, which orders it after
// the object's construction.
TEST(Races, AnUpdateIsNotJudgedByWhatItCannotRead) {
    const report r = explore([] {
        atomic<int> published{0};
        atomic<int>* x = nullptr;
        thread first([&] {
            x = new atomic<int>(0);
            (void)x->exchange(1, std::memory_order_release);
            published.store(1, std::memory_order_relaxed);
        });
        thread second([&] {
            published.await([](int p) { return p == 1; }, std::memory_order_relaxed);
            check(x->fetch_add(1, std::memory_order_acquire) == 1);
        });
        first.join();
        second.join();
        delete x;
    });
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.message;
    EXPECT_EQ(r.executions, 1U);
}

}  // namespace
