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
        atomic<atomic<int>*> published{nullptr};
        thread first([&published] {
            auto* const x = new atomic<int>(0);
            (void)x->exchange(1, std::memory_order_release);
            published.store(x, std::memory_order_relaxed);
        });
        thread second([&published] {
            atomic<int>* const x =
                published.await([](atomic<int>* p) { return p != nullptr; }, std::memory_order_relaxed);
            check(x->fetch_add(1, std::memory_order_acquire) == 1);
        });
        first.join();
        second.join();
        delete published.load();
    });
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.message;
    EXPECT_EQ(r.executions, 1U);
}

}  // namespace
