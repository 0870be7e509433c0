// A search that several processes share, that goes on after it was killed, and that runs one execution again.
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "proofs/explorer/notation/corpus.hpp"
#include "proofs/explorer/notation/program.hpp"
#include "proofs/explorer/tests/expect.hpp"
#include "proofs/explorer/tests/families.hpp"
#include "proofs/explorer/tests/random_programs.hpp"

namespace {

namespace ex = quiesce::explorer;
namespace litmus = quiesce::explorer::litmus;
constexpr auto relaxed = std::memory_order_relaxed;

void expect_same(const ex::report& a, const ex::report& b, const std::string& what) {
    EXPECT_EQ(a.verdict, b.verdict) << what << ": " << b.violation.kind << ": " << b.violation.message;
    EXPECT_EQ(a.executions, b.executions) << what;
    EXPECT_EQ(a.deadlocks, b.deadlocks) << what;
    EXPECT_EQ(a.incomplete, b.incomplete) << what;
    EXPECT_EQ(a.racy, b.racy) << what;
    EXPECT_EQ(a.outcomes, b.outcomes) << what;
    EXPECT_EQ(a.violation.kind, b.violation.kind) << what;
    EXPECT_EQ(a.violation.message, b.violation.message) << what;
    EXPECT_EQ(a.violation.trace, b.violation.trace) << what;
}

// Long enough that parts of it are given away, with revisits, awaits, choices and weak compare-exchanges.
const char* const long_programs[] = {
    "T0: ADD x 1 rlx -> a | T1: ADD x 1 rlx -> b | T2: ADD x 1 rlx -> c | T3: ADD x 1 rlx -> d | T4: R x rlx -> e; "
    "R x rlx -> f",
    "T0: LK l 0 1 acq; W x 1 rlx; W l 0 rel | T1: LK l 0 1 acq; R x rlx -> a; W l 0 rel | T2: LK l 0 1 acq; W x 2 rlx; "
    "W l 0 rel | T3: R x rlx -> b; R l rlx -> c | T4: W x 3 rlx",
    "T0: CH 3 -> a; W x $a rlx | T1: WCAS x 0 5 ar acq -> b; W y 1 rel | T2: WCAS x 5 6 ar acq -> c; R y acq -> d | "
    "T3: "
    "AW y ge 1 acq -> e; R x rlx -> f | T4: W x 9 rlx",
    "T0: W x 1 sc; R y sc -> a | T1: W y 1 sc; R z sc -> b | T2: W z 1 sc; R x sc -> c | T3: W x 2 sc; W z 2 sc | T4: "
    "R "
    "x rlx -> d; R z rlx -> e",
};

TEST(Jobs, CountTheSame) {
    for (const char* const text : long_programs) {
        const litmus::program p = litmus::parse(text);
        const ex::report one = litmus::explore(p, {});
        EXPECT_GT(one.executions, 100U) << text;
        for (const unsigned jobs : {2U, 3U, 7U}) {
            ex::options how;
            how.jobs = jobs;
            expect_same(one, litmus::explore(p, how), text);
        }
    }
}

TEST(Jobs, CountTheSameInRandomPrograms) {
    std::mt19937_64 random(7);
    for (int i = 0; i != 60; ++i) {
        const std::string text = ex::tests::random_blocking_program(random);
        const litmus::program p = litmus::parse(text);
        ex::options how;
        how.jobs = 2;
        expect_same(litmus::explore(p, {}), litmus::explore(p, how), text);
    }
}

TEST(Jobs, CountTheSameWhereThreadsSpawnThreads) {
    const auto program = [] {
        ex::atomic<int> x{0};
        const auto parent = [&x] {
            ex::thread child([&x] { x.fetch_add(1, relaxed); });
            x.store(5, relaxed);
            child.join();
        };
        ex::thread first(parent);
        ex::thread second(parent);
        const bool more = x.load(relaxed) != 0;
        ex::thread third;
        if (more) {
            third = ex::thread(parent);
        }
        first.join();
        second.join();
        if (more) {
            third.join();
        }
        ex::outcome(ex::final_value(x));
    };
    ex::options how;
    how.jobs = 3;
    const ex::report one = ex::explore(program);
    EXPECT_GT(one.executions, 500U);
    expect_same(one, ex::explore(program, how), "nested");
}

// Rare, and there are several: the first in the order of one process, with its counts and trace.
void fails_at_times() {
    ex::atomic<int> x{0};
    ex::atomic<int> order{0};
    ex::families::joined_threads threads;
    for (int i = 0; i != 5; ++i) {
        threads.start([&x, &order, i] {
            if (x.fetch_add(1, relaxed) == 4 - i) {
                ex::check(order.fetch_add(1, relaxed) != 3, "the threads came nearly in the reverse order");
            }
        });
    }
}

TEST(Jobs, ReportTheViolationThatOneProcessWouldFindFirst) {
    const ex::report one = ex::explore(fails_at_times);
    ASSERT_EQ(one.violation.kind, "assertion");
    EXPECT_GT(one.executions, 10U);
    for (int i = 0; i != 20; ++i) {
        ex::options how;
        how.jobs = 2 + static_cast<unsigned>(i) % 4;
        expect_same(one, ex::explore(fails_at_times, how), std::to_string(how.jobs));
    }
}

TEST(Jobs, StopAtABound) {
    ex::options how;
    how.jobs = 2;
    how.max_executions = 500;
    const ex::report r = ex::explore([] { ex::families::nwriters(9); }, how);
    EXPECT_EQ(r.verdict, ex::verdict::bounded);
    EXPECT_EQ(r.stopped_at, "max_executions");
    EXPECT_GE(r.executions, 500U);
    EXPECT_LT(r.executions, 3'628'800U);
    how.max_executions = 0;
    how.max_seconds = 0.05;
    EXPECT_EQ(ex::explore([] { ex::families::ainc(9); }, how).verdict, ex::verdict::timed_out);
}

TEST(Jobs, ThatAreKilledAreAnError) {
    ex::options how;
    how.jobs = 2;
    const pid_t parent = ::getpid();
    const ex::report r = ex::explore(
        [parent] {
            if (::getpid() != parent) {
                ::kill(::getpid(), SIGKILL);
            }
        },
        how);
    EXPECT_EQ(r.verdict, ex::verdict::engine_error);
    EXPECT_EQ(r.violation.kind, "lost job");
    EXPECT_NE(r.violation.message.find("signal 9"), std::string::npos) << r.violation.message;
}

TEST(Jobs, LeaveTheVariablesOfTheCallerAlone) {
    int runs = 0;
    ex::options how;
    how.jobs = 2;
    EXPECT_EQ(ex::explore([&runs] { ++runs; }, how).executions, 1U);
    EXPECT_EQ(runs, 0);
}

class Checkpoint : public testing::Test {
protected:
    ~Checkpoint() override { std::filesystem::remove(file_); }

    ex::options with_file() const {
        ex::options how;
        how.checkpoint = file_;
        return how;
    }

    const std::string file_ = testing::TempDir() + "quiesce_checkpoint_" + std::to_string(::getpid());
};

// In pieces of a few executions each, by any number of jobs, until nothing is left.
TEST_F(Checkpoint, GoesOnWhereTheSearchStopped) {
    unsigned all_pieces = 0;
    for (const char* const text : long_programs) {
        const litmus::program p = litmus::parse(text);
        const ex::report whole = litmus::explore(p, {});
        unsigned pieces = 0;
        ex::report r;
        do {
            ex::options how = with_file();
            how.jobs = 1 + pieces % 3;
            how.max_executions = (pieces + 1) * (whole.executions / 8 + 1);
            r = litmus::explore(p, how);
            ASSERT_LT(++pieces, 20U) << text;
        } while (std::filesystem::exists(file_));
        all_pieces += pieces;
        expect_same(whole, r, text);
    }
    EXPECT_GT(all_pieces, 8U);
}

TEST_F(Checkpoint, GoesOnAfterTheProcessWasKilled) {
    const auto program = [] { ex::families::ainc(8); };
    const std::uint64_t executions = 40'320;
    std::mt19937 random(static_cast<unsigned>(::getpid()));
    unsigned kills = 0;
    for (;;) {
        ex::options how = with_file();
        how.checkpoint_seconds = 0.01;
        how.jobs = 1 + kills % 3;
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            const ex::report r = ex::explore(program, how);
            ::_exit(r.verdict == ex::verdict::exhausted && r.executions == executions ? 0 : 1);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20 + random() % 100));
        if (kills < 8) {
            ::kill(child, SIGKILL);
        }
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        if (WIFEXITED(status)) {
            EXPECT_EQ(WEXITSTATUS(status), 0);
            break;
        }
        ++kills;
    }
    EXPECT_GT(kills, 0U);
    EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(Checkpoint, KeepsTheViolationThatComesFirst) {
    const ex::report whole = ex::explore(fails_at_times);
    ex::options how = with_file();
    how.max_executions = whole.executions / 2;
    EXPECT_EQ(ex::explore(fails_at_times, how).verdict, ex::verdict::bounded);
    how.max_executions = 0;
    expect_same(whole, ex::explore(fails_at_times, how), "resumed");
}

TEST_F(Checkpoint, IsNotReadIfItIsDamagedOrOfAnotherSearch) {
    ex::options how = with_file();
    how.max_executions = 100;
    const auto program = [] { ex::families::ainc(6); };
    ASSERT_EQ(ex::explore(program, how).verdict, ex::verdict::bounded);
    const std::string text = (std::ostringstream() << std::ifstream(file_).rdbuf()).str();
    how.max_executions = 0;

    const ex::report another = ex::explore([] { ex::families::nwriters(6); }, how);
    EXPECT_EQ(another.verdict, ex::verdict::engine_error);
    EXPECT_EQ(another.violation.kind, "another program");

    ex::options other_model = how;
    other_model.model = ex::memory_model::sc;
    EXPECT_NE(ex::explore(program, other_model).violation.message.find("other options"), std::string::npos);

    std::mt19937 random(1);
    for (int i = 0; i != 200; ++i) {
        std::string damaged = text;
        if (i % 2 == 0) {
            damaged.resize(random() % damaged.size());
        } else {
            char& c = damaged[random() % damaged.size()];
            c = static_cast<char>(c ^ static_cast<char>(1 + random() % 127));
        }
        std::ofstream(file_, std::ios::binary) << damaged;
        const ex::report r = ex::explore(program, how);
        EXPECT_EQ(r.verdict, ex::verdict::engine_error);
        EXPECT_EQ(r.violation.message, "the checkpoint " + file_ + " is damaged");
    }
    std::ofstream(file_, std::ios::binary) << text;
    EXPECT_EQ(ex::explore(program, how).executions, 720U);
}

TEST_F(Checkpoint, ThatCannotBeWrittenIsAnError) {
    ex::options how;
    how.checkpoint = "/nowhere/at/all";
    how.max_executions = 1;
    const ex::report r = ex::explore([] { ex::families::ainc(3); }, how);
    EXPECT_EQ(r.verdict, ex::verdict::engine_error);
    EXPECT_NE(r.violation.message.find("/nowhere/at/all cannot be written"), std::string::npos) << r.violation.message;
}

// Programs that fail in every way that an execution can.
const std::pair<const char*, std::function<void()>> failing[] = {
    {"assertion", fails_at_times},
    {"data race",
     [] {
         ex::plain<int> x{0};
         ex::atomic<int> y{0};
         ex::thread t([&] {
             x.set(1);
             y.store(1, relaxed);
         });
         if (y.load(relaxed) == 1) {
             (void)x.get();
         }
         t.join();
     }},
    {"deadlock", &ex::two_mutexes_in_two_orders},
    {"use after free",
     [] {
         auto* const x = new ex::atomic<int>(0);
         ex::atomic<int> done{0};
         ex::thread t([&] {
             x->store(1, relaxed);
             done.store(1, relaxed);
         });
         (void)done.await([](int d) { return d == 1; }, relaxed);
         delete x;
         t.join();
     }},
    {"uninitialised read",
     [] {
         ex::atomic<bool> written{false};
         void* const raw = operator new(sizeof(ex::plain<int>));
         ex::thread t([&] {
             static_cast<ex::plain<int>*>(raw)->set(1);
             written.store(true, std::memory_order_release);
         });
         if (!written.load(std::memory_order_acquire)) {
             (void)static_cast<ex::plain<int>*>(raw)->get();
         }
         t.join();
         operator delete(raw);
     }},
    {"leak",
     [] {
         ex::atomic<int*> lost{new int(1)};
         ex::thread t([&] { lost.store(nullptr, relaxed); });
         int* const mine = lost.load(relaxed);
         t.join();
         delete mine;
     }},
    {"escaped exception",
     [] {
         ex::atomic<int> x{0};
         ex::thread t([&] { x.store(1, relaxed); });
         t.join();
         throw std::runtime_error("lost");
     }},
    {"segmentation fault",
     [] {
         ex::atomic<int*> x{nullptr};
         ex::thread t([&] { x.store(reinterpret_cast<int*>(8), relaxed); });
         int* const p = x.load(relaxed);
         t.join();
         if (p != nullptr) {
             *p = 1;
         }
     }},
};

TEST(Replay, GivesTheSameViolationAndTrace) {
    for (const auto& [kind, program] : failing) {
        const ex::report found = ex::explore(program);
        ASSERT_EQ(found.violation.kind, kind);
        ASSERT_FALSE(found.violation.trace.empty()) << kind;
        ex::options how;
        how.replay = found.violation.graph;
        const ex::report again = ex::explore(program, how);
        EXPECT_EQ(again.verdict, ex::verdict::violated) << kind << ": " << again.violation.message;
        EXPECT_EQ(again.violation.kind, kind);
        EXPECT_EQ(again.violation.message, found.violation.message);
        EXPECT_EQ(again.violation.trace, found.violation.trace);
        EXPECT_EQ(again.violation.graph, found.violation.graph);
    }
}

TEST(Replay, SaysWhenItCannot) {
    ex::options how;
    how.replay = "not a graph";
    EXPECT_EQ(ex::explore(fails_at_times, how).violation.kind, "damaged graph");
    how.replay = ex::explore(fails_at_times).violation.graph;
    EXPECT_EQ(ex::explore([] { ex::families::ainc(2); }, how).violation.kind, "another program");
    // The same operations, and nothing wrong.
    int runs = 0;
    const auto once = [&runs] { ex::check(runs++ != 0, "only the first run fails"); };
    how.replay = ex::explore(once).violation.graph;
    EXPECT_EQ(ex::explore(once, how).verdict, ex::verdict::nondeterministic);
}

class Environment : public testing::Test {
protected:
    ~Environment() override {
        for (const std::string& name : set_) {
            ::unsetenv(name.c_str());
        }
    }
    void set(const std::string& name, const char* value) {
        set_.push_back("QUIESCE_EXPLORER_" + name);
        ::setenv(set_.back().c_str(), value, 1);
    }

private:
    std::vector<std::string> set_;
};

TEST_F(Environment, SetsOptions) {
    const auto program = [] { ex::families::sbring(4); };
    EXPECT_EQ(ex::explore(program).executions, 16U);
    set("MODEL", "sc");
    EXPECT_EQ(ex::explore(program).executions, 15U);
    set("MODEL", "rc11");
    set("MAX_EXECUTIONS", "3");
    EXPECT_EQ(ex::explore(program).verdict, ex::verdict::bounded);
    EXPECT_EQ(ex::explore(program).executions, 3U);
    set("MAX_EXECUTIONS", "0");
    set("JOBS", "2");
    EXPECT_EQ(ex::explore(program).executions, 16U);
    set("KEEP_GOING", "1");
    EXPECT_GT(ex::explore(fails_at_times).executions, 100U);
}

TEST_F(Environment, ThatCannotBeReadIsAnError) {
    const std::pair<const char*, const char*> wrong[] = {
        {"MODEL", "tso"}, {"KEEP_GOING", "yes"},  {"MAX_EXECUTIONS", "-1"},    {"MAX_SECONDS", "nan"},
        {"JOBS", "2x"},   {"MAX_OPERATIONS", ""}, {"CHECKPOINT_SECONDS", "."},
    };
    for (const auto& [name, value] : wrong) {
        set(name, value);
        const ex::report r = ex::explore([] {});
        EXPECT_EQ(r.verdict, ex::verdict::engine_error) << name;
        EXPECT_NE(r.violation.message.find(std::string("QUIESCE_EXPLORER_") + name + " takes "), std::string::npos)
            << r.violation.message;
        ::unsetenv((std::string("QUIESCE_EXPLORER_") + name).c_str());
    }
}

TEST(Bounds, AreProofsWhenNothingIsLeft) {
    ex::options how;
    how.max_executions = 6;
    EXPECT_EQ(ex::explore([] { ex::families::ainc(3); }, how).verdict, ex::verdict::exhausted);
    how.max_executions = 5;
    EXPECT_EQ(ex::explore([] { ex::families::ainc(3); }, how).verdict, ex::verdict::bounded);
}

}  // namespace
