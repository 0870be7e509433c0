// Loops that no operation of the explorer ends.
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <ctime>
#include <string>
#include <thread>

#include <quiesce/explorer.hpp>

namespace {

namespace ex = quiesce::explorer;

double processor_seconds() {
    timespec t = {};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

ex::options soon() {
    ex::options how;
    how.max_idle_seconds = 0.2;
    return how;
}

void expect_found(const ex::report& r, const char* who) {
    EXPECT_EQ(r.verdict, ex::verdict::bounded) << r.violation.message;
    EXPECT_EQ(r.stopped_at, "max_idle_seconds");
    EXPECT_EQ(r.violation.kind, "unbounded loop");
    EXPECT_TRUE(r.violation.message.starts_with(who)) << r.violation.message;
}

// What remains of a program that was moved over by halves.
void waits_for_a_standard_atomic() {
    static std::atomic<bool> never{false};
    ex::atomic<int> x{0};
    ex::thread t([&x] {
        x.store(1);
        while (!never.load()) {
        }
    });
    t.join();
}

TEST(EndlessLoops, NameTheThreadAndItsLastOperation) {
    const double before = processor_seconds();
    const ex::report r = ex::explore(&waits_for_a_standard_atomic, soon());
    EXPECT_LT(processor_seconds() - before, 5);
    expect_found(r,
                 "thread 1 has run for 0.2 s without an operation of the explorer, the last at "
                 "endless_loops_test.cpp:");
    EXPECT_NE(r.violation.trace.find(".store(1, seq_cst)"), std::string::npos) << r.violation.trace;
}

TEST(EndlessLoops, AreFoundWithoutAnyOperation) {
    expect_found(ex::explore(
                     [] {
                         for (;;) {
                             asm volatile("");
                         }
                     },
                     soon()),
                 "thread 0 has run for 0.2 s without an operation of the explorer, not even one");
}

// The C library is left before the program is stopped, or not at all.
TEST(EndlessLoops, AreFoundInTheLibrary) {
    expect_found(ex::explore(
                     [] {
                         for (;;) {
                             std::this_thread::yield();
                         }
                     },
                     soon()),
                 "thread 0");
}

TEST(EndlessLoops, AreFoundByJobs) {
    ex::options how = soon();
    how.jobs = 2;
    expect_found(ex::explore(&waits_for_a_standard_atomic, how), "thread 1");
}

TEST(EndlessLoops, AreFoundInSeveralExplorationsAtATime) {
    ex::report other;
    std::thread beside([&other] { other = ex::explore(&waits_for_a_standard_atomic, soon()); });
    const ex::report one = ex::explore(&waits_for_a_standard_atomic, soon());
    beside.join();
    expect_found(one, "thread 1");
    expect_found(other, "thread 1");
    EXPECT_EQ(one.violation.message, other.violation.message);
}

TEST(EndlessLoops, LeaveAViolationThatWasFound) {
    ex::options how = soon();
    how.keep_going = true;
    const ex::report r = ex::explore(
        [] {
            ex::check(ex::choose(2) != 0);
            waits_for_a_standard_atomic();
        },
        how);
    EXPECT_EQ(r.verdict, ex::verdict::violated);
    EXPECT_EQ(r.violation.kind, "assertion");
    EXPECT_EQ(r.stopped_at, "max_idle_seconds");
}

void computes(double seconds) {
    const double end = processor_seconds() + seconds;
    while (processor_seconds() < end) {
    }
}

// Each time is below the limit.
TEST(EndlessLoops, AreNoLongComputations) {
    const ex::report r = ex::explore(
        [] {
            ex::atomic<int> x{0};
            for (int i = 0; i != 4; ++i) {
                computes(0.12);
                x.store(i);
            }
            (void)ex::choose(2);
        },
        soon());
    EXPECT_EQ(r.verdict, ex::verdict::exhausted) << r.violation.message;
}

TEST(EndlessLoops, AreNoProcessesThatWereStopped) {
    const pid_t child = ::fork();
    if (child == 0) {
        const ex::report r = ex::explore(
            [] {
                ex::atomic<int> x{0};
                computes(0.1);
                x.store(1);
            },
            soon());
        ::_exit(r.verdict == ex::verdict::exhausted ? 0 : 1);
    }
    ::usleep(30'000);
    ::kill(child, SIGSTOP);
    ::usleep(700'000);
    ::kill(child, SIGCONT);
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

// These are no operations, but are counted as such.
TEST(EndlessLoops, OfHintsAreUnboundedLoops) {
    const ex::report yields = ex::explore([] {
        ex::thread t([] {
            for (;;) {
                ex::this_thread::yield();
            }
        });
        t.join();
    });
    EXPECT_EQ(yields.verdict, ex::verdict::bounded);
    EXPECT_EQ(yields.stopped_at, "max_operations");
    EXPECT_TRUE(
        yields.violation.message.starts_with("thread 1 does more than 10000 operations, the last at "
                                             "endless_loops_test.cpp:"))
        << yields.violation.message;
    const ex::report looks = ex::explore([] {
        ex::atomic<int> x{0};
        ex::thread t([&x] { x.store(1); });
        while (ex::final_value(x) != 1) {
        }
        t.join();
    });
    EXPECT_EQ(looks.verdict, ex::verdict::bounded);
    EXPECT_EQ(looks.stopped_at, "max_operations");
}

}  // namespace
