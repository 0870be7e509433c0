// What is wrong with how a program uses memory.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include <quiesce/explorer.hpp>
#include "proofs/explorer/tests/expect.hpp"

namespace {

using namespace quiesce::explorer;

struct object {
    atomic<int> value{0};
    int ordinary = 0;
};

TEST(Memory, IsGivenBackBeforeTheEnd) {
    const report r = explore([] {
        auto* const o = opaque(new object);
        name(o->value, "forgotten");
        thread other([] { delete opaque(new int(1)); });
        other.join();
    });
    EXPECT_EQ(r.violation.kind, "leak");
    EXPECT_EQ(r.violation.message,
              "1 object is never deleted, the first of " + std::to_string(sizeof(object)) + " bytes, with forgotten");
    options tolerant;
    tolerant.find_leaks = false;
    EXPECT_EQ(kind_of([] { (void)opaque(new object); }, tolerant), "");
}

TEST(Memory, IsUsedWithinItsObject) {
    EXPECT_EQ(kind_of([] {
                  auto* const cells = opaque(new plain<int>[3]);
                  opaque(cells)[3].set(1);
                  delete[] cells;
              }),
              "access out of an object");
    EXPECT_EQ(kind_of([] {
                  auto* const bytes = opaque(new char[sizeof(int) + 2]);
                  reinterpret_cast<plain<int>*>(bytes + 4)->set(1);
                  delete[] bytes;
              }),
              "access out of an object");
}

TEST(Memory, ThatNobodyHasWrittenIsNotRead) {
    EXPECT_EQ(kind_of([] {
                  void* const raw = operator new(sizeof(atomic<int>));
                  (void)static_cast<atomic<int>*>(raw)->load();
                  operator delete(raw);
              }),
              "uninitialised read");
}

// Whether the other thread has written it yet: with and without, each once.
TEST(Memory, ThatNobodyHasWrittenMayBeWrittenLater) {
    options how;
    how.keep_going = true;
    how.find_leaks = false;
    const report r = explore(
        [] {
            void* const raw = operator new(sizeof(atomic<int>));
            thread writer([raw] { static_cast<atomic<int>*>(raw)->store(1, std::memory_order_relaxed); });
            outcome(static_cast<atomic<int>*>(raw)->load(std::memory_order_relaxed));
            writer.join();
        },
        how);
    EXPECT_EQ(r.executions, 1U);
    EXPECT_EQ(r.incomplete, 1U);
    EXPECT_EQ(r.violations.at("uninitialised read"), 1U);
}

TEST(Faults, AreViolationsWithTheirTrace) {
    const report r = explore([] {
        atomic<int> x{0};
        name(x, "x");
        thread writer([&x] { x.store(1, std::memory_order_relaxed); });
        int* const target = x.load(std::memory_order_relaxed) == 1 ? opaque(static_cast<int*>(nullptr)) : nullptr;
        if (target == nullptr && x.load(std::memory_order_relaxed) == 1) {
            *opaque(target) = 1;
        }
        writer.join();
    });
    EXPECT_EQ(r.verdict, verdict::violated);
    EXPECT_EQ(r.violation.kind, "segmentation fault");
    EXPECT_NE(r.violation.message.find("memory_test.cpp"), std::string::npos) << r.violation.message;
    EXPECT_NE(r.violation.trace.find("x.load(relaxed) = 1"), std::string::npos) << r.violation.trace;
}

[[gnu::noinline]] int descend(int depth) {
    volatile char room[1024] = {};
    room[0] = static_cast<char>(depth);
    return depth == 0 ? room[0] : descend(depth - 1) + room[0];
}

TEST(Faults, OfEveryKindHaveTheirName) {
    EXPECT_EQ(kind_of([] { check(descend(100'000) != 1); }), "stack overflow");
    EXPECT_EQ(kind_of([] { std::abort(); }), "abort");
    EXPECT_EQ(kind_of([] {
                  volatile int zero = 0;
                  volatile int undefined = 7 / zero;
                  (void)undefined;
              }),
              "arithmetic error");
}

TEST(Faults, LeaveTheNextExplorationAlone) {
    for (int i = 0; i != 3; ++i) {
        EXPECT_EQ(kind_of([] { *opaque(static_cast<int*>(nullptr)) = 1; }), "segmentation fault");
        EXPECT_EQ(kind_of([] { check(descend(10) != 1); }), "");
    }
}

TEST(Faults, AreCountedWithKeepGoing) {
    options how;
    how.keep_going = true;
    const report r = explore(
        [] {
            if (choose(3) == 1) {
                *opaque(static_cast<int*>(nullptr)) = 1;
            }
        },
        how);
    EXPECT_EQ(r.executions, 2U);
    EXPECT_EQ(r.incomplete, 1U);
    EXPECT_EQ(r.violations.at("segmentation fault"), 1U);
}

TEST(Allocations, FailByChoice) {
    options how;
    how.failing_allocations = 1;
    const report nothrow = explore(
        [] {
            int* const first = new (std::nothrow) int;
            int* const second = new (std::nothrow) int;
            outcome(first != nullptr, second != nullptr);
            delete first;
            delete second;
        },
        how);
    EXPECT_EQ(nothrow.executions, 3U);
    EXPECT_FALSE(nothrow.outcomes.contains({0, 0}));
    EXPECT_EQ(kind_of([] { delete opaque(new int); }, how), "escaped exception");
}

TEST(KeepGoing, CountsMemoryErrorsByKind) {
    options how;
    how.keep_going = true;
    const report r = explore(
        [] {
            auto* const o = opaque(new object);
            const unsigned what = choose(3);
            if (what != 0) {
                delete o;
            }
            if (what == 2) {
                delete opaque(o);
            }
        },
        how);
    EXPECT_EQ(r.verdict, verdict::violated);
    EXPECT_EQ(r.executions, 3U);
    EXPECT_EQ(r.violations.at("leak"), 1U);
    EXPECT_EQ(r.violations.at("double free"), 1U);
}

}  // namespace
