// Programs in C++: the families whose counts are known, and what the face promises.
#include <gtest/gtest.h>

#include "proofs/explorer/tests/families.hpp"

namespace {

using namespace quiesce::explorer;

struct family_case {
    const char* name;
    void (*program)(unsigned);
    unsigned n;
    std::uint64_t executions;
};

class Family : public testing::TestWithParam<family_case> {};

TEST_P(Family, HasTheKnownNumberOfExecutions) {
    const family_case& f = GetParam();
    const report r = explore([&f] { f.program(f.n); });
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.kind << ": " << r.violation.message;
    EXPECT_EQ(r.executions, f.executions);
    EXPECT_EQ(r.deadlocks, 0U);
    EXPECT_EQ(r.incomplete, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, Family,
    testing::Values(
        family_case{"nwriters", families::nwriters, 3, 24}, family_case{"nwriters", families::nwriters, 5, 720},
        family_case{"nwriters", families::nwriters, 7, 40'320}, family_case{"readers", families::readers, 8, 256},
        family_case{"readers", families::readers, 12, 4'096}, family_case{"readers", families::readers, 16, 65'536},
        family_case{"lastzero", families::lastzero, 3, 12}, family_case{"lastzero", families::lastzero, 5, 64},
        family_case{"lastzero", families::lastzero, 8, 704}, family_case{"lastzero", families::lastzero, 10, 3'328},
        family_case{"lastzero", families::lastzero, 12, 15'360}, family_case{"ainc", families::ainc, 5, 120},
        family_case{"ainc", families::ainc, 7, 5'040}, family_case{"sbring", families::sbring, 8, 256},
        family_case{"sbring", families::sbring, 12, 4'096}, family_case{"ticket", families::ticket, 3, 6},
        family_case{"ticket", families::ticket, 4, 24}, family_case{"ticket", families::ticket, 5, 120},
        family_case{"ticket", families::ticket, 6, 720}),
    [](const testing::TestParamInfo<family_case>& c) { return std::string(c.param.name) + std::to_string(c.param.n); });

}  // namespace
