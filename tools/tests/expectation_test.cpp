#include "tools/quiesce/expectation.hpp"

#include <gtest/gtest.h>

namespace {

using namespace quiesce::frontend;
using words = std::vector<std::string>;

run made(const std::string& engine, const std::string& size, verdict v, const std::string& finding = "") {
    run r;
    r.engine = engine;
    r.asked.case_name = "c";
    r.asked.size = size;
    r.asked.expect = {"exhausted", "leak"};
    r.result.what = v;
    r.result.finding = finding;
    return r;
}

plan_line plan_expecting(words expect) {
    plan_line p;
    p.expect = std::move(expect);
    return p;
}

TEST(expectation, is_the_plans_own_without_overrides) {
    EXPECT_EQ(accepted_outcomes(plan_expecting({"bounded", "unreached"}), false, {}), words{"bounded"});
}

TEST(expectation, of_a_correct_case_is_relaxed_by_overrides) {
    overrides seeded;
    seeded.seed = 1;
    EXPECT_EQ(accepted_outcomes(plan_expecting({"exhausted"}), false, seeded),
              (words{"exhausted", "bounded", "timed_out"}));
    overrides limited;
    limited.seconds = 1;
    EXPECT_EQ(accepted_outcomes(plan_expecting({"exhausted"}), false, limited),
              (words{"exhausted", "bounded", "timed_out", "unreached"}));
}

TEST(expectation, of_a_defect_is_not_relaxed) {
    overrides limited;
    limited.iterations = 1;
    EXPECT_EQ(accepted_outcomes(plan_expecting({"leak"}), true, limited), words{"leak"});
}

TEST(judgement, compares_the_finding_of_a_violation_and_else_the_verdict) {
    std::vector<run> runs{made("a", "1", verdict::violated, "leak"), made("a", "1", verdict::violated, "data_race"),
                          made("a", "1", verdict::exhausted), made("a", "1", verdict::bounded),
                          made("a", "1", verdict::violated, "exhausted")};
    runs.back().asked.expect = {"violated"};
    judge(runs);
    EXPECT_TRUE(runs[0].as_expected);
    EXPECT_FALSE(runs[1].as_expected);
    EXPECT_TRUE(runs[2].as_expected);
    EXPECT_FALSE(runs[3].as_expected);
    EXPECT_FALSE(runs[4].as_expected);
}

TEST(judgement, never_accepts_an_engine_error) {
    std::vector<run> runs{made("a", "1", verdict::engine_error)};
    runs[0].asked.expect = {"engine_error"};
    judge(runs);
    EXPECT_FALSE(runs[0].as_expected);
}

TEST(engines, disagree_only_about_the_same_size) {
    std::vector<run> runs{made("a", "1", verdict::violated, "leak"), made("b", "2", verdict::exhausted),
                          made("a", "1", verdict::exhausted)};
    judge(runs);
    EXPECT_FALSE(runs[0].engines_disagree) << "another size, or the same engine";
    runs.push_back(made("b", "1", verdict::exhausted));
    judge(runs);
    EXPECT_TRUE(runs[0].engines_disagree);
    EXPECT_TRUE(runs[3].engines_disagree);
    EXPECT_FALSE(runs[1].engines_disagree);
}

TEST(engines, disagree_about_a_correct_case_also_when_one_stopped_at_a_bound) {
    std::vector<run> runs{made("a", "1", verdict::violated, "leak"), made("b", "1", verdict::bounded)};
    for (run& r : runs) {
        r.scenario = r.asked.case_name;
    }
    judge(runs);
    EXPECT_TRUE(runs[0].engines_disagree);
    EXPECT_TRUE(runs[1].engines_disagree);
    for (run& r : runs) {
        r.scenario = "the one whose defect it is";
    }
    judge(runs);
    EXPECT_FALSE(runs[0].engines_disagree) << "a bounded search may miss a defect";
}

}  // namespace
