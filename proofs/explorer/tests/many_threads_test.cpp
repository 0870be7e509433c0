// What is kept for each thread grows when there are more threads than there were, and is what it was.
#include <gtest/gtest.h>

#include <atomic>

#include "proofs/explorer/tests/families.hpp"

namespace {

using namespace quiesce::explorer;
using families::joined_threads;

constexpr std::memory_order relaxed = std::memory_order_relaxed;

void start_others(joined_threads& threads, unsigned n) {
    for (unsigned i = 0; i != n; ++i) {
        threads.start([] {});
    }
}

void expect_executions(const report& r, std::uint64_t executions) {
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.kind << ": " << r.violation.message;
    EXPECT_EQ(r.executions, executions);
}

TEST(ManyThreads, KeepWhatHappenedBeforeTheyWereMany) {
    expect_executions(explore([] {
                          plain<int> x{0};
                          thread early([&x] { x.set(1); });
                          early.join();
                          joined_threads threads;
                          start_others(threads, 20);
                          check(x.get() == 1);
                      }),
                      1);
}

TEST(ManyThreads, KeepWhatWasReadAndWrittenBeforeTheyWereMany) {
    expect_executions(explore([] {
                          atomic<int> x{0};
                          x.store(1, relaxed);
                          joined_threads threads;
                          start_others(threads, 20);
                          check(x.load(relaxed) == 1, "a thread forgot what it wrote");
                      }),
                      1);
}

// After the last thread's load, the first must still know its own store to the location next to it. It is the eighth
// before the last, since what is kept has room for eight threads at first.
TEST(ManyThreads, AreAllKnownInAnExecutionInWhichALoadIsRevisited) {
    expect_executions(explore([] {
                          atomic<int> of_the_last{0};
                          atomic<int> of_the_first{0};
                          atomic<int> last_has_loaded{0};
                          atomic<int> revisited{0};
                          joined_threads threads;
                          threads.start([&] {
                              of_the_first.store(1, relaxed);
                              last_has_loaded.await([](int v) { return v == 1; }, relaxed);
                              check(of_the_first.load(relaxed) == 1, "a thread forgot what it wrote");
                          });
                          threads.start([&] { (void)revisited.load(relaxed); });
                          threads.start([&] { revisited.store(1, relaxed); });
                          start_others(threads, 5);
                          threads.start([&] {
                              (void)of_the_last.load(relaxed);
                              last_has_loaded.store(1, relaxed);
                          });
                      }),
                      2);
}

TEST(ManyThreads, MayEachDoMuch) {
    expect_executions(explore([] {
                          atomic<int> x{0};
                          plain<int> at_the_end{0};
                          joined_threads threads;
                          atomic<int> done{0};
                          threads.start([&] {
                              for (int i = 0; i != 2'000; ++i) {
                                  x.store(i, relaxed);
                              }
                              at_the_end.set(1);
                              done.store(1, std::memory_order_release);
                          });
                          done.await([](int v) { return v == 1; }, std::memory_order_acquire);
                          check(at_the_end.get() == 1);
                      }),
                      1);
}

TEST(ManyThreads, MayBeSixtyFourAndNotMore) {
    const auto explore_threads = [](unsigned n) {
        return explore([n] {
            joined_threads threads;
            start_others(threads, n);
        });
    };
    expect_executions(explore_threads(63), 1);
    const report r = explore_threads(64);
    EXPECT_EQ(r.verdict, verdict::engine_error);
    EXPECT_EQ(r.violation.kind, "too many threads");
}

}  // namespace
