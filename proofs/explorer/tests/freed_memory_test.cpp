// Who uses memory that is freed, whichever of the two comes first in the search.
#include <gtest/gtest.h>

#include <quiesce/explorer.hpp>

#include <atomic>
#include <string>

namespace {

using namespace quiesce::explorer;

struct object {
    atomic<int> first{0};
    atomic<int> last{0};
};

std::string kind_of(const report& r) {
    return r.violation.kind;
}

// The search prefers the first thread, so the memory is freed before it is used.
TEST(FreedMemory, IsNotUsedByAThreadThatMayComeLater) {
    EXPECT_EQ(kind_of(explore([] {
                  auto* const o = new object;
                  thread user([o] { (void)o->first.load(std::memory_order_relaxed); });
                  free_memory(o, sizeof(object));
                  user.join();
              })),
              "use after free");
}

TEST(FreedMemory, IsNotUsedByAThreadThatMayComeEarlier) {
    for (atomic<int> object::*const member : {&object::first, &object::last}) {
        EXPECT_EQ(kind_of(explore([member] {
                      auto* const o = new object;
                      thread user([o, member] { (o->*member).store(1, std::memory_order_relaxed); });
                      thread owner([o] { free_memory(o, sizeof(object)); });
                      user.join();
                      owner.join();
                  })),
                  "use after free");
    }
}

TEST(FreedMemory, ReachesToTheEndOfTheObjectAndNoFurther) {
    const auto use_after = [](atomic<int> object::*member, unsigned which) {
        return explore([member, which] {
            object two[2];
            free_memory(&two[0], sizeof(object));
            (void)(two[which].*member).load();
        });
    };
    EXPECT_EQ(kind_of(use_after(&object::first, 0)), "use after free");
    EXPECT_EQ(kind_of(use_after(&object::last, 0)), "use after free");
    EXPECT_EQ(use_after(&object::first, 1).verdict, verdict::exhausted);
    const report neighbour_in_use = explore([] {
        object two[2];
        thread user([&two] { two[1].first.store(1, std::memory_order_relaxed); });
        thread owner([&two] { free_memory(&two[0], sizeof(object)); });
        user.join();
        owner.join();
    });
    EXPECT_EQ(neighbour_in_use.verdict, verdict::exhausted) << neighbour_in_use.violation.message;
}

TEST(FreedMemory, IsNotFreedAgainByAThreadThatKnowsNothingOfTheFirst) {
    EXPECT_EQ(kind_of(explore([] {
                  auto* const o = new object;
                  thread other([o] { free_memory(o, sizeof(object)); });
                  free_memory(o, sizeof(object));
                  other.join();
              })),
              "double free");
}

}  // namespace
