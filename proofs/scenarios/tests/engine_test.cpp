// The explorer's engine as a program: what it plans, and what it says of limits and of wrong calls.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "proofs/scenarios/claim.hpp"
#include "relacy_models/tests/called_engine.hpp"

namespace {

using namespace quiesce::models::tests;
using nlohmann::json;

TEST(ExplorerEngine, PlansEveryScenarioOnceAtEachSize) {
    const std::vector<json> planned = plan();
    for (const json& s : call("--describe").lines()) {
        if (s["type"] != "scenario") {
            continue;
        }
        for (const json& size : s["sizes"]) {
            EXPECT_EQ(std::count_if(planned.begin(), planned.end(),
                                    [&](const json& p) { return p["case"] == s["name"] && p["size"] == size; }),
                      1)
                << s["name"] << ", size " << size;
        }
    }
}

TEST(ExplorerEngine, MayStopAtALimitOnlyInWhatIsNotClaimed) {
    for (const json& p : plan()) {
        const json& expect = p["expect"];
        const bool may_stop = std::find(expect.begin(), expect.end(), "timed_out") != expect.end();
        EXPECT_EQ(may_stop, p.contains("label")) << p;
        EXPECT_EQ(may_stop, p.contains("seconds")) << p;
    }
}

TEST(Claims, OfACaseOrASizeThatThereIsNotAreFound) {
    using namespace quiesce::models::proofs;
    const std::vector<claim> claims = read_claims(
        "case\tsize\tmodel\tverdict\texecutions\tversion\n"
        "there\t1\trc11\texhausted\t7\t0.1.0\n"
        "there\t2\trc11\texhausted\t8\t0.1.0\n"
        "gone\t1\trc11\texhausted\t9\t0.1.0\n");
    ASSERT_EQ(claims.size(), 3U);
    EXPECT_EQ(claims[1].executions, 8U);
    EXPECT_EQ(first_orphan(claims, [](const claim&) { return true; }), nullptr);
    EXPECT_EQ(first_orphan(claims, [](const claim& c) { return c.name == "there"; }), &claims[2]);
    EXPECT_EQ(first_orphan(claims, [](const claim& c) { return c.size == "1"; }), &claims[1]);
}

TEST(Claims, AreContradictedByANumberAndNotByAVerdict) {
    using namespace quiesce::models::proofs;
    const claim correct{"there", "1", "exhausted", 7};
    const claim defective{"there__fault", "1", "data_race", 7};
    EXPECT_TRUE(counts_otherwise(correct, "exhausted", 8));
    EXPECT_FALSE(counts_otherwise(correct, "exhausted", 7));
    EXPECT_TRUE(counts_otherwise(defective, "violated", 8));
    EXPECT_FALSE(counts_otherwise(defective, "violated", 7));
    // The first is a counterexample, the second a defect that is not found any more.
    EXPECT_FALSE(counts_otherwise(correct, "violated", 1));
    EXPECT_FALSE(counts_otherwise(defective, "exhausted", 9));
    EXPECT_FALSE(counts_otherwise(correct, "timed_out", 1));
    EXPECT_FALSE(counts_otherwise(correct, "unreached", 1));
}

TEST(ExplorerEngine, TimesOutAtALimit) {
    EXPECT_EQ(result_of("--run grace_period_waits_for_readers --iterations 2")["verdict"], "timed_out");
    EXPECT_EQ(result_of("--run grace_period_waits_for_readers")["verdict"], "exhausted");
    EXPECT_EQ(result_of("--run nothing_deferred_is_stranded --time 0.1")["verdict"], "timed_out");
}

TEST(ExplorerEngine, CountsTheExecutionsThatCameToASituation) {
    const json r = result_of("--run grace_period_waits_for_readers");
    ASSERT_FALSE(r["reached"].empty());
    for (const json& executions : r["reached"]) {
        EXPECT_GT(executions, 0);
        EXPECT_LE(executions, r["iterations"]);
    }
}

// The fault is one of memory order: in some execution of C++ each of two threads misses the other's store.
TEST(ExplorerEngine, SequentiallyConsistentMachinesDoNotShowWhatDrainingNeedsItsOrdersFor) {
    for (const std::string fault :
         {"draining_with_acquire_release", "addition_counted_acq_rel", "draining_read_with_acquire",
          "draining_set_with_release", "counter_read_with_acquire"}) {
        const std::string run = "--run staged_draining_destroy_misses_no_callback__" + fault;
        EXPECT_EQ(result_of(run)["finding"], "use_after_free") << fault;
        EXPECT_EQ(result_of(run + " --search exhaustive_sc")["verdict"], "exhausted") << fault;
    }
}

TEST(ExplorerEngine, WritesTheTraceOfAViolation) {
    const std::string file = testing::TempDir() + "explorer_engine_test_trace.txt";
    EXPECT_EQ(result_of("--run grace_period_waits_for_readers__use_after_section --trace " + file)["verdict"],
              "violated");
    std::ifstream in(file);
    std::stringstream text;
    text << in.rdbuf();
    EXPECT_NE(text.str().find("current"), std::string::npos) << text.str();
}

TEST(ExplorerEngine, WrongCallsGetOneSentenceAndExitCodeTwo) {
    for (const std::string arguments :
         {"", "--run nothing_of_the_kind", "--run grace_periods_are_shared --size 7", "--run x --iterations many",
          "--run grace_periods_are_shared --search random", "--run grace_periods_are_shared --iterations 0",
          "--run grace_periods_are_shared --volume 3", "--run"}) {
        const answer a = call(arguments);
        EXPECT_EQ(a.status, 2) << arguments;
        EXPECT_EQ(std::count(a.output.begin(), a.output.end(), '\n'), 1) << a.output;
    }
}

}  // namespace
