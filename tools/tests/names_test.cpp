#include "tools/quiesce/names.hpp"

#include <gtest/gtest.h>

namespace {

using namespace quiesce::frontend;

TEST(edit_distance, counts_insertions_deletions_and_replacements) {
    EXPECT_EQ(edit_distance("", ""), 0U);
    EXPECT_EQ(edit_distance("", "abc"), 3U);
    EXPECT_EQ(edit_distance("abc", ""), 3U);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
    EXPECT_EQ(edit_distance("reader", "raeder"), 2U);
}

TEST(nearest_name, is_the_one_at_the_smallest_distance) {
    EXPECT_EQ(nearest_name("grace", {"race", "graces_all", "trace"}), "race");
    EXPECT_EQ(nearest_name("grace", {}), "");
}

}  // namespace
