#include "bench/result.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "bench/reports.hpp"

namespace {

using namespace quiesce::bench;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

row row_of(const char* name, side whose, std::vector<double> values, double limit = 0) {
    return {{group::flood, name, whose, nullptr, limit}, std::move(values), {}, "note", ""};
}

table a_table() {
    return {group::flood,
            {row_of("ours", side::ours, {2, 6, 4}), row_of("liburcu call_rcu + malloc", side::rival, {16, 16}),
             row_of("faster", side::rival, {8}), row_of("floor", side::floor, {1})}};
}

TEST(Table, RefersToTheRowThatItsGroupNames) {
    EXPECT_EQ(a_table().reference(), 16);
}

TEST(Table, HasNoReferenceWhenThatRowIsNotThere) {
    table t = a_table();
    t.rows.erase(t.rows.begin() + 1);
    EXPECT_FALSE(t.reference().has_value());
}

TEST(Table, TakesTheBestRivalFromTheRivalsOnly) {
    EXPECT_EQ(a_table().best_rival(), 8);
}

TEST(Table, ShowsMedianSpreadAndBothRatiosOfOurRow) {
    EXPECT_THAT(text_of(a_table()), ContainsRegex("ours +4\\.0 +2\\.0\\.\\.6\\.0 +- +0\\.25 +0\\.50 +note\n"));
}

TEST(Row, IsOverItsLimitWhenOneSampleIs) {
    EXPECT_FALSE(row_of("r", side::ours, {63, 64}, 64).over_limit());
    EXPECT_TRUE(row_of("r", side::ours, {1, 2, 65}, 64).over_limit());
    EXPECT_FALSE(row_of("r", side::ours, {1e9}).over_limit());
}

TEST(Row, SaysWhetherItKeptItsLimit) {
    EXPECT_THAT(text_of(table{group::flood, {row_of("r", side::ours, {10}, 64)}}), HasSubstr("under 64 MB"));
    EXPECT_THAT(text_of(table{group::flood, {row_of("r", side::ours, {65}, 64)}}), HasSubstr("OVER 64 MB"));
}

TEST(Row, ShowsItsFailureInsteadOfNumbers) {
    table t = a_table();
    t.rows[0].values.clear();
    t.rows[0].failure = "ended by signal 11";
    EXPECT_THAT(text_of(t), ContainsRegex("ours +- +- +- +- +- +FAILED: ended by signal 11\n"));
}

TEST(JsonReport, HasTheSamplesAndTheRatios) {
    const auto j = nlohmann::json::parse(json_of(options{}, {a_table()}));
    const auto& ours = j.at("tables").at(0).at("rows").at(0);
    EXPECT_EQ(ours.at("samples"), nlohmann::json({2, 6, 4}));
    EXPECT_EQ(ours.at("ratio"), 0.25);
    EXPECT_EQ(ours.at("ratio_to_best_rival"), 0.5);
}

TEST(AbsentLibraries, AreNamedWithTheirPackages) {
    EXPECT_THAT(text_of(std::vector<absent_library>{{"liburcu", "liburcu-dev"}}),
                HasSubstr("liburcu: skipped, because liburcu-dev was not there"));
    EXPECT_EQ(text_of(std::vector<absent_library>{}), "");
}

}  // namespace
