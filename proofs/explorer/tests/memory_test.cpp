// What is wrong with how a program uses memory.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include <quiesce/explorer.hpp>

namespace {

using namespace quiesce::explorer;

// So that the compiler does not see where a pointer comes from.
template <class T>
T* opaque(T* p) {
    asm volatile("" : "+r"(p)::"memory");
    return p;
}

std::string kind_of(const std::function<void()>& program, const options& how = {}) {
    const report r = explore(program, how);
    EXPECT_EQ(r.verdict, r.violation.kind.empty() ? verdict::exhausted : verdict::violated) << r.violation.message;
    return r.violation.kind;
}

struct object {
    atomic<int> value{0};
    int ordinary = 0;
};

void free_after_a_use(bool ordered) {
    auto* const o = new object;
    atomic<int> done{0};
    thread user([&] {
        (void)o->value.load(std::memory_order_relaxed);
        done.store(1, ordered ? std::memory_order_release : std::memory_order_relaxed);
    });
    done.await([](int d) { return d == 1; }, std::memory_order_acquire);
    delete o;
    user.join();
}

TEST(Memory, IsFreedAfterEveryUseThatIsOrderedBefore) {
    EXPECT_EQ(kind_of([] { free_after_a_use(true); }), "");
    EXPECT_EQ(kind_of([] { free_after_a_use(false); }), "use after free");
}

TEST(Memory, ThatWasFreedIsNotUsed) {
    EXPECT_EQ(kind_of([] {
                  auto* const o = opaque(new object);
                  delete o;
                  (void)opaque(o)->value.load();
              }),
              "use after free");
    EXPECT_EQ(kind_of([] {
                  auto* const o = opaque(new object);
                  delete o;
                  opaque(o)->value.notify_one();
              }),
              "use after free");
}

TEST(Memory, IsFreedOnceAndOnlyWhatWasAllocated) {
    EXPECT_EQ(kind_of([] {
                  auto* const o = opaque(new object);
                  delete o;
                  delete opaque(o);
              }),
              "double free");
    EXPECT_EQ(kind_of([] {
                  auto* const pair = opaque(new int[2]);
                  delete opaque(pair + 1);
              }),
              "invalid free");
    EXPECT_EQ(kind_of([] {
                  int local = 0;
                  delete opaque(&local);
              }),
              "invalid free");
}

TEST(Memory, PartOfAnObjectIsFreedByTheProgramsOwnAllocator) {
    EXPECT_EQ(kind_of([] {
                  auto* const slab = new plain<int>[4];
                  free_memory(&slab[1], sizeof slab[1]);
                  (void)slab[2].get();
                  delete[] slab;
              }),
              "");
    EXPECT_EQ(kind_of([] {
                  auto* const slab = new plain<int>[4];
                  free_memory(&slab[1], sizeof slab[1]);
                  (void)slab[1].get();
                  delete[] slab;
              }),
              "use after free");
}

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

TEST(Memory, ThatWasFreedIsOverwritten) {
    EXPECT_EQ(kind_of([] {
                  auto* const o = opaque(new object);
                  delete o;
                  check(opaque(o)->ordinary == 0, "an ordinary access to freed memory");
              }),
              "assertion");
}

TEST(Memory, ThatWasFreedHoldsNoPointers) {
    EXPECT_EQ(kind_of([] {
                  struct node {
                      node* next = nullptr;
                  };
                  auto* const n = opaque(new node);
                  delete n;
                  opaque(n)->next->next = nullptr;
              }),
              "use after free");
}

TEST(Memory, ThatWasFreedCannotBeUsedWhereItIsGuarded) {
    options guarded;
    guarded.guard_freed = true;
    const auto reads_freed = [] {
        auto* const o = opaque(new object);
        delete o;
        return opaque(o)->ordinary;
    };
    EXPECT_EQ(kind_of([reads_freed] { check(reads_freed() == 0); }, guarded), "use after free");
    EXPECT_EQ(kind_of([] { free_after_a_use(true); }, guarded), "");
    // The pages are there again in the next execution, and the next exploration.
    EXPECT_EQ(kind_of(
                  [] {
                      const unsigned which = choose(3);
                      delete opaque(new int(static_cast<int>(which)));
                  },
                  guarded),
              "");
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
