// The Relacy engine as a program: what its searches are worth, and what it says of wrong calls.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "relacy_models/tests/called_engine.hpp"

namespace {

using namespace quiesce::models::tests;
using nlohmann::json;

const std::string weak = "grace_period_waits_for_readers__reader_without_light_fence";

TEST(RelacyEngine, RandomSearchFindsADefectFromTenStartPointsFarApart) {
    for (int i = 0; i != 10; ++i) {
        const json r = result_of("--run " + weak + " --search random --size 1 --iterations 100000 --seed " +
                                 std::to_string(i * 7'654'321));
        EXPECT_EQ(r["verdict"], "violated") << "start point " << i;
    }
}

TEST(RelacyEngine, EveryDefectThatIsLeftToRandomSearchIsFoundFromTenStartPointsFarApart) {
    unsigned runs = 0;
    for (const json& p : plan()) {
        if (p["search"] != "random" || p["case"].get<std::string>().find("__") == std::string::npos) {
            continue;
        }
        for (int i = 0; i != 10; ++i) {
            const json r = result_of("--run " + p["case"].get<std::string>() + " --search random --size " +
                                     p["size"].get<std::string>() + " --iterations " + p["iterations"].dump() +
                                     " --seed " + std::to_string(i * 7'654'321));
            EXPECT_EQ(r["verdict"], "violated") << p["case"] << ", size " << p["size"] << ", start point " << i;
            ++runs;
        }
    }
    EXPECT_GT(runs, 0U);
}

TEST(RelacyEngine, EveryDefectIsSearchedForWithoutBeingAsked) {
    std::map<std::string, bool> by_default;
    for (const json& p : plan()) {
        by_default[p["case"].get<std::string>()] |= !p.contains("label");
    }
    for (const auto& [name, is_searched] : by_default) {
        EXPECT_TRUE(is_searched) << name << " has deep runs only";
    }
    EXPECT_FALSE(by_default.empty());
}

TEST(RelacyEngine, DifferentSeedsSearchDifferently) {
    const std::string run = "--run " + weak + " --search random --size 1 --iterations 100000 --seed ";
    EXPECT_NE(result_of(run + "1000")["iterations"], result_of(run + "2000")["iterations"]);
}

TEST(RelacyEngine, TheSameRunTwiceGivesTheSameAnswer) {
    for (const std::string search : {"random", "bound"}) {
        const std::string run =
            "--run grace_periods_are_shared__cookie_read_without_rmw --size 2 --iterations 1000000 --search ";
        json first = result_of(run + search);
        json second = result_of(run + search);
        first.erase("seconds");
        second.erase("seconds");
        EXPECT_EQ(first, second);
    }
}

TEST(RelacyEngine, ASearchThatStopsAtItsIterationsIsNotCalledComplete) {
    const std::string run = "--run queued_work_wakes_the_driver --search full --size 1 --iterations ";
    EXPECT_EQ(result_of(run + "100")["verdict"], "timed_out");
    EXPECT_EQ(result_of(run + "1000000")["verdict"], "exhausted");
}

TEST(RelacyEngine, ASituationThatWasNotReachedIsSaid) {
    const json r = result_of("--run grace_periods_are_shared --search bound --size 1 --bound 0 --iterations 1000000");
    EXPECT_EQ(r["verdict"], "unreached");
}

TEST(RelacyEngine, ATraceNamesThreadsObjectsAndTheStoresThatLoadsRead) {
    const std::string file = testing::TempDir() + "relacy_engine_test_trace.txt";
    const json r = result_of("--run " + weak + " --search bound --size 1 --iterations 1000000 --trace " + file);
    EXPECT_EQ(r["finding"], "data_race");
    std::ifstream in(file);
    std::stringstream text;
    text << in.rdbuf();
    for (const std::string part : {"| thread 0", "| thread 1", "current.load(acquire) = ", "gp.started.fetch_add(",
                                   " from [", "grace_period.hpp:", "object.canary.store(?)", "DATA RACE"}) {
        EXPECT_NE(text.str().find(part), std::string::npos) << part;
    }
    EXPECT_EQ(text.str().find("0x"), std::string::npos) << "an address without a name";
}

TEST(RelacyEngine, WrongCallsGetOneSentenceAndExitCodeTwo) {
    for (const std::string arguments :
         {"", "--run nothing_of_the_kind", "--run grace_periods_are_shared --size 7", "--run x --iterations many",
          "--run grace_periods_are_shared --search sideways", "--run grace_periods_are_shared --iterations 0",
          "--run grace_periods_are_shared --volume 3", "--run"}) {
        const answer a = call(arguments);
        EXPECT_EQ(a.status, 2) << arguments;
        EXPECT_EQ(std::count(a.output.begin(), a.output.end(), '\n'), 1) << a.output;
    }
}

TEST(RelacyEngine, PlansEveryDefectAtTheSearchAndBoundOfItsScenario) {
    const std::vector<json> planned = plan();
    for (const json& p : planned) {
        const std::string name = p["case"];
        const std::size_t fault = name.find("__");
        if (fault == std::string::npos) {
            continue;
        }
        const bool without = std::any_of(planned.begin(), planned.end(), [&](const json& q) {
            return q["case"] == name.substr(0, fault) && q["search"] == p["search"] && q["size"] == p["size"] &&
                   q["bound"] == p["bound"] && q["iterations"] == p["iterations"];
        });
        EXPECT_TRUE(without) << p;
    }
}

}  // namespace
