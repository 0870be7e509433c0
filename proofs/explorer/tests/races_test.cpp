// Accesses of executions that there are race, and of others do not.
#include <gtest/gtest.h>

#include <quiesce/explorer.hpp>

#include <atomic>
#include <utility>

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

// The search prefers the first thread, so either access comes first to it once.
TEST(Races, AreBetweenAnAtomicAccessAndOneThatIsNotWhicheverComesFirst) {
    using access = void (*)(atomic<int>&);
    const auto kind_of = [](access mine, access others) {
        return explore([mine, others] {
                   atomic<int> x{0};
                   thread other([&x, others] { others(x); });
                   mine(x);
                   other.join();
               })
            .violation.kind;
    };
    const access load = [](atomic<int>& x) { (void)x.load(); };
    const access store = [](atomic<int>& x) { x.store(1); };
    const access plain_load = [](atomic<int>& x) { (void)x.non_atomic_load(); };
    const access plain_store = [](atomic<int>& x) { x.non_atomic_store(2); };
    for (const auto& [a, b] : {std::pair{load, plain_store}, {store, plain_load}, {store, plain_store}}) {
        EXPECT_EQ(kind_of(a, b), "data race");
        EXPECT_EQ(kind_of(b, a), "data race");
    }
    EXPECT_EQ(kind_of(load, plain_load), "");
    EXPECT_EQ(kind_of(plain_load, load), "");
}

}  // namespace
