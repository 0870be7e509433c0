// What C++ keeps of exceptions for each thread, it keeps for each thread of the program, and for who explores.
#include <gtest/gtest.h>

#include <exception>

#include <quiesce/explorer.hpp>

namespace {

using namespace quiesce::explorer;

// Each enters its handler before the other leaves its own, so they are not nested.
TEST(Exceptions, OfHandlersThatOverlapAreKeptApart) {
    const report r = explore([] {
        atomic<int> second_is_in{0};
        atomic<int> first_is_out{0};
        thread first([&] {
            try {
                try {
                    throw 1;
                } catch (int) {
                    second_is_in.await([](int v) { return v == 1; });
                    throw;
                }
            } catch (int caught) {
                check(caught == 1, "the first caught another one's exception");
            }
            first_is_out.store(1);
        });
        thread second([&] {
            try {
                try {
                    throw 2;
                } catch (int) {
                    second_is_in.store(1);
                    first_is_out.await([](int v) { return v == 1; });
                    throw;
                }
            } catch (int caught) {
                check(caught == 2, "the second caught another one's exception");
            }
        });
        first.join();
        second.join();
    });
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.message;
    EXPECT_EQ(r.executions, 1U);
}

TEST(Exceptions, OfWhoExploresAreHiddenFromTheProgramAndThereAfterwards) {
    int caught = 0;
    try {
        try {
            throw 7;
        } catch (int) {
            const report r = explore([] {
                check(!std::current_exception(), "the program sees the exception of who explores it");
                atomic<int> never{0};
                try {
                    throw 1;
                } catch (int) {
                    never.await_timed([](int v) { return v == 1; });
                }
            });
            EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.message;
            throw;
        }
    } catch (int again) {
        caught = again;
    }
    EXPECT_EQ(caught, 7);
}

TEST(Exceptions, OfAnExecutionThatIsAbandonedAreNotInTheNext) {
    const report r = explore([] {
        atomic<int> never{0};
        const bool is_abandoned = choose(2) == 0;
        thread catching([&never, is_abandoned] {
            check(!std::current_exception(), "an exception of another execution is there");
            try {
                throw 1;
            } catch (int) {
                if (is_abandoned) {
                    never.await_timed([](int v) { return v == 1; });
                }
            }
        });
        // What a thread has in flight is put away when another one runs.
        thread another([] {});
        catching.join();
        another.join();
    });
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.message;
    EXPECT_EQ(r.incomplete, 1U);
    EXPECT_EQ(r.executions, 1U);
}

}  // namespace
