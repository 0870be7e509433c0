#include "bench/statistics.hpp"

#include <gtest/gtest.h>

namespace {

using namespace quiesce::bench;

TEST(Median, IsTheMiddleOfAnOddNumberInAnyOrder) {
    EXPECT_EQ(median({7}), 7);
    EXPECT_EQ(median({9, 1, 5}), 5);
}

TEST(Median, IsTheMeanOfTheTwoMiddleOnesOfAnEvenNumber) {
    EXPECT_EQ(median({4, 1, 100, 2}), 3);
}

TEST(Median, IsNotMovedByOneOutlier) {
    EXPECT_EQ(median({10, 11, 12, 13, 1e9}), 12);
}

TEST(SpreadOf, HasTheExtremes) {
    const spread s = spread_of({3, 1, 2}).value_or(spread{});
    EXPECT_EQ(s.min, 1);
    EXPECT_EQ(s.median, 2);
    EXPECT_EQ(s.max, 3);
}

TEST(SpreadOf, IsNothingWithoutValues) {
    EXPECT_FALSE(spread_of({}).has_value());
}

TEST(Ratio, IsTheValueInUnitsOfTheReference) {
    EXPECT_EQ(ratio(1.0, 4.0), 0.25);
    EXPECT_EQ(ratio(8.0, 4.0), 2.0);
}

TEST(Ratio, IsNothingWhereOneSideIsMissingOrTheReferenceIsZero) {
    EXPECT_FALSE(ratio(std::nullopt, 4.0).has_value());
    EXPECT_FALSE(ratio(1.0, std::nullopt).has_value());
    EXPECT_FALSE(ratio(1.0, 0.0).has_value());
}

}  // namespace
