// Who uses or frees memory that is freed, whichever of the two comes first in the search.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <new>

#include <quiesce/explorer.hpp>
#include "proofs/explorer/tests/expect.hpp"

namespace {

using namespace quiesce::explorer;

struct object {
    atomic<int> value{0};
    int ordinary = 0;
};

struct record {
    atomic<int> first{0};
    atomic<int> last{0};
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

TEST(FreedMemory, IsFreedAfterEveryUseThatIsOrderedBefore) {
    EXPECT_EQ(kind_of([] { free_after_a_use(true); }), "");
    EXPECT_EQ(kind_of([] { free_after_a_use(false); }), "use after free");
}

TEST(FreedMemory, IsNotUsed) {
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

TEST(FreedMemory, IsFreedOnceAndOnlyWhatWasAllocated) {
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

TEST(FreedMemory, IsOverwritten) {
    EXPECT_EQ(kind_of([] {
                  auto* const o = opaque(new object);
                  delete o;
                  check(opaque(o)->ordinary == 0, "an ordinary access to freed memory");
              }),
              "assertion");
}

TEST(FreedMemory, HoldsNoPointers) {
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

TEST(FreedMemory, CannotBeUsedWhereItIsGuarded) {
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

// The search prefers the first thread, so the memory is freed before it is used.
TEST(FreedMemory, IsNotUsedByAThreadThatMayComeLater) {
    EXPECT_EQ(kind_of([] {
                  auto* const o = new record;
                  thread user([o] { (void)o->first.load(std::memory_order_relaxed); });
                  free_memory(o, sizeof(record));
                  user.join();
              }),
              "use after free");
}

TEST(FreedMemory, IsNotUsedByAThreadThatMayComeEarlier) {
    for (atomic<int> record::*const member : {&record::first, &record::last}) {
        EXPECT_EQ(kind_of([member] {
                      auto* const o = new record;
                      thread user([o, member] { (o->*member).store(1, std::memory_order_relaxed); });
                      thread owner([o] { free_memory(o, sizeof(record)); });
                      user.join();
                      owner.join();
                  }),
                  "use after free");
    }
}

TEST(FreedMemory, ReachesToTheEndOfTheObjectAndNoFurther) {
    const auto use_after = [](atomic<int> record::*member, unsigned which) {
        return kind_of([member, which] {
            auto* const two = new record[2];
            free_memory(&two[0], sizeof(record));
            (void)(two[which].*member).load();
            delete[] two;
        });
    };
    EXPECT_EQ(use_after(&record::first, 0), "use after free");
    EXPECT_EQ(use_after(&record::last, 0), "use after free");
    EXPECT_EQ(use_after(&record::first, 1), "");
    EXPECT_EQ(kind_of([] {
                  record two[2];
                  thread user([&two] { two[1].first.store(1, std::memory_order_relaxed); });
                  thread owner([&two] { free_memory(&two[0], sizeof(record)); });
                  user.join();
                  owner.join();
              }),
              "");
}

TEST(FreedMemory, IsNotFreedAgainByAThreadThatKnowsNothingOfTheFirst) {
    EXPECT_EQ(kind_of([] {
                  auto* const o = new record;
                  thread other([o] { free_memory(o, sizeof(record)); });
                  free_memory(o, sizeof(record));
                  other.join();
              }),
              "double free");
}

}  // namespace
