// Threads that wait: for ever, or for a time.
#include <gtest/gtest.h>

#include <quiesce/explorer.hpp>

#include "proofs/explorer/notation/program.hpp"

namespace {

using namespace quiesce::explorer;

TEST(Awaits, ThatAreTimedMayWaitForEver) {
    const auto wait = [](bool timed) {
        return explore([timed] {
            const atomic<int> never{0};
            const auto is_one = [](int v) { return v == 1; };
            if (timed) {
                (void)never.await_timed(is_one);
            } else {
                (void)never.await(is_one);
            }
        });
    };
    EXPECT_EQ(wait(false).deadlocks, 1U);
    const report r = wait(true);
    EXPECT_EQ(r.verdict, verdict::exhausted);
    EXPECT_EQ(r.deadlocks, 0U);
    EXPECT_EQ(r.incomplete, 1U);
}

// The third thread goes on with a value of y that is not the newest, when the second is stuck already with x = 2. What
// it then writes to x comes after that, which leaves the second with an old value; or after it and is read instead; or
// before it, where nothing is to be done about the read.
TEST(Awaits, ThatAreNotSatisfiedReadTheNewestValueOnly) {
    const report r = litmus::explore(
        litmus::parse("T0: W y 1 rlx; W y 2 rlx | T1: AW x eq 9 rlx | T2: AW y eq 1 rlx; W x 1 rlx | T3: W x 2 rlx"));
    EXPECT_EQ(r.executions, 0U);
    EXPECT_EQ(r.deadlocks, 3U);
    EXPECT_EQ(r.incomplete, 1U);
}

}  // namespace
