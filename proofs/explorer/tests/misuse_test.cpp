// Programs that do what they must not.
#include <gtest/gtest.h>

#include <quiesce/explorer.hpp>

#include <cstddef>
#include <new>
#include <stdexcept>

namespace {

using namespace quiesce::explorer;

TEST(Misuse, ALocationIsReadThatNobodyHasWritten) {
    const report r = explore([] {
        alignas(atomic<int>) unsigned char memory[sizeof(atomic<int>)];
        (void)reinterpret_cast<atomic<int>*>(memory)->load();
    });
    EXPECT_EQ(r.verdict, verdict::violated);
    EXPECT_EQ(r.violation.kind, "uninitialised read");
}

TEST(Misuse, AnExceptionLeavesAThread) {
    for (const bool is_standard : {true, false}) {
        const report r = explore([is_standard] {
            thread t([is_standard] {
                if (is_standard) {
                    throw std::runtime_error("lost");
                }
                throw 1;
            });
            t.join();
        });
        EXPECT_EQ(r.verdict, verdict::violated);
        EXPECT_EQ(r.violation.kind, "escaped exception");
        EXPECT_EQ(r.violation.message, is_standard ? "lost" : "not a std::exception");
    }
}

TEST(Misuse, AHeapIsUsedUp) {
    const report r = explore([] {
        // The compiler would leave out what nobody looks at.
        [[maybe_unused]] void* volatile last = nullptr;
        for (;;) {
            last = ::operator new (64 * std::size_t{1024});
        }
    });
    EXPECT_EQ(r.verdict, verdict::engine_error);
    EXPECT_EQ(r.violation.message, "the heap of a thread is used up");
}

TEST(Misuse, AnObjectIsNotTheProgramsOwn) {
    // Never constructed, neither in the run nor before.
    alignas(atomic<int>) unsigned char outside[sizeof(atomic<int>)];
    const report r = explore([&outside] { reinterpret_cast<atomic<int>*>(outside)->store(1); });
    EXPECT_EQ(r.verdict, verdict::engine_error);
    EXPECT_EQ(r.violation.kind, "object from outside");
}

TEST(Misuse, TheExplorerIsUsedOutsideAnExploration) {
    EXPECT_THROW(thread([] {}), std::logic_error);
    EXPECT_THROW((void)choose(2), std::logic_error);
}

}  // namespace
