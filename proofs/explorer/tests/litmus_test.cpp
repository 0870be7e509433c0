// The corpus of programs with known answers, and the models that differ on some.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "proofs/explorer/notation/corpus.hpp"

namespace {

using namespace quiesce::explorer;
using litmus::corpus_row;

void expect_agreement(const char* file, std::size_t rows) {
    const std::vector<corpus_row> corpus = litmus::read_corpus(std::string(QUIESCE_LITMUS_DIR "/") + file);
    EXPECT_EQ(corpus.size(), rows);
    for (const corpus_row& row : corpus) {
        EXPECT_EQ(litmus::difference(row, {}), "") << row.name << ": " << row.text;
    }
}

TEST(Litmus, NamedProgramsGiveTheKnownExecutionsOutcomesAndRaces) {
    expect_agreement("rc11.tsv", 41);
}

TEST(Litmus, GeneratedProgramsGiveTheKnownExecutionsAndOutcomes) {
    expect_agreement("random_rc11.tsv", 194);
}

TEST(Litmus, BlockingProgramsGiveTheKnownExecutionsAndDeadlocks) {
    expect_agreement("blocking_rc11.tsv", 489);
}

std::vector<corpus_row> whole_corpus() {
    std::vector<corpus_row> all;
    for (const char* const file : {"rc11.tsv", "random_rc11.tsv", "blocking_rc11.tsv"}) {
        for (corpus_row& row : litmus::read_corpus(std::string(QUIESCE_LITMUS_DIR "/") + file)) {
            all.push_back(std::move(row));
        }
    }
    return all;
}

TEST(Litmus, NoExecutionIsVisitedTwice) {
    for (const corpus_row& row : whole_corpus()) {
        std::unordered_set<std::uint64_t> graphs;
        options how;
        how.each_execution = [&graphs](std::uint64_t graph) { graphs.insert(graph); };
        const report r = litmus::explore(litmus::parse(row.text), how);
        EXPECT_EQ(graphs.size(), r.executions) << row.name;
    }
}

TEST(Litmus, TheOrderInWhichThreadsAreStartedChangesNoCount) {
    for (const corpus_row& row : whole_corpus()) {
        const litmus::program p = litmus::parse(row.text);
        const report r = litmus::explore(p);
        std::vector<unsigned> order(p.threads.size());
        std::iota(order.begin(), order.end(), 0U);
        while (std::next_permutation(order.begin(), order.end())) {
            const report permuted = litmus::explore(p, {}, order);
            EXPECT_EQ(permuted.executions, r.executions) << row.name;
            EXPECT_EQ(permuted.deadlocks, r.deadlocks) << row.name;
            EXPECT_EQ(permuted.outcomes, r.outcomes) << row.name;
        }
    }
}

std::uint64_t executions(const char* text, memory_model model) {
    options how;
    how.model = model;
    return litmus::explore(litmus::parse(text), how).executions;
}

// Independent reads of independent writes: release stores and seq_cst loads.
constexpr const char* iriw =
    "T0: W x 1 rel | T1: W y 1 rel | T2: R x sc -> a; R y sc -> b | T3: R y sc -> c; R x sc -> d";

TEST(Litmus, TheModelsDifferWhereTheirSourcesDo) {
    EXPECT_EQ(executions(iriw, memory_model::rc11), 16U);
    EXPECT_EQ(executions(iriw, memory_model::cpp20), 15U);
    constexpr const char* store_buffering = "T0: W x 1 rlx; R y rlx -> a | T1: W y 1 rlx; R x rlx -> b";
    EXPECT_EQ(executions(store_buffering, memory_model::rc11), 4U);
    EXPECT_EQ(executions(store_buffering, memory_model::cpp20), 4U);
    EXPECT_EQ(executions(store_buffering, memory_model::sc), 3U);
}

// Two halves of a seq_cst read-modify-write are accesses of one location; a checker that forgets that finds 22.
TEST(Litmus, AReadModifyWriteIsOneLocation) {
    EXPECT_EQ(executions("T0: W x 1 sc; W y 1 rel | T1: ADD y 1 sc -> a; R y rlx -> b | T2: W y 3 sc; R x sc -> c",
                         memory_model::rc11),
              24U);
}

TEST(Litmus, AsymmetricFencesOrderOnlyAgainstEachOther) {
    const auto store_buffering = [](const std::string& left, const std::string& right) {
        return executions(
            ("T0: W x 1 rlx; F " + left + "; R y rlx -> a | T1: W y 1 rlx; F " + right + "; R x rlx -> b").c_str(),
            memory_model::rc11);
    };
    EXPECT_EQ(store_buffering("lt", "hv"), 3U);
    EXPECT_EQ(store_buffering("lt", "lt"), 4U);
    EXPECT_EQ(store_buffering("lt", "sc"), 4U);
    EXPECT_EQ(store_buffering("hv", "sc"), 3U);
    const auto message_passing = [](const std::string& left, const std::string& right) {
        return executions(
            ("T0: W x 1 rlx; F " + left + "; W y 1 rlx | T1: R y rlx -> a; F " + right + "; R x rlx -> b").c_str(),
            memory_model::rc11);
    };
    EXPECT_EQ(message_passing("lt", "hv"), 3U);
    EXPECT_EQ(message_passing("hv", "lt"), 3U);
    EXPECT_EQ(message_passing("lt", "lt"), 4U);
}

std::string outcomes(const char* text) {
    const litmus::program p = litmus::parse(text);
    std::string all;
    for (const auto& [values, times] : litmus::explore(p).outcomes) {
        all += litmus::describe(p, values) + "x" + std::to_string(times) + " ";
    }
    return all;
}

TEST(Litmus, AnOutcomeIsOfEveryThreadAlsoOfOneThatNobodyJoins) {
    EXPECT_EQ(outcomes("T0: W x 1 rlx; SP 1 | T1: R x rlx -> a; ADD y 1 rlx -> c"), "{1,0}x1 ");
    EXPECT_EQ(outcomes("T0: W x 1 rlx | T1: F sc"), "{}x1 ");
}

TEST(Litmus, AThreadThatIsJoinedBeforeItIsSpawnedIsRefused) {
    const report r = litmus::explore(litmus::parse("T0: JN 2 | T1: SP 2 | T2: W x 1 rlx"));
    EXPECT_EQ(r.verdict, verdict::engine_error);
    EXPECT_EQ(r.violation.message, "a thread is joined before it is spawned");
}

TEST(Litmus, AThreadThatIsSpawnedTwiceIsRefused) {
    EXPECT_EQ(litmus::explore(litmus::parse("T0: SP 1; SP 1 | T1: W x 1 rlx")).verdict, verdict::engine_error);
    EXPECT_EQ(executions("T0: CH 2 -> a; IF a 0; SP 1; FI; IF a 1; SP 1; FI | T1: W x 1 rlx", memory_model::rc11), 2U);
}

std::string refusal(const std::string& text) {
    try {
        (void)litmus::parse(text);
    } catch (const litmus::notation_error& e) {
        return e.what();
    }
    return "";
}

std::string repeated(const std::string& part, unsigned times) {
    std::string text;
    for (unsigned i = 0; i != times; ++i) {
        text += part;
    }
    return text;
}

TEST(Litmus, WhatIsNotInTheNotationIsRefusedInOneSentence) {
    const std::vector<std::pair<std::string, std::string>> refused = {
        {"T0: W x", "'W x' has the wrong form"},
        {"T0: R x rlx ->", "'R x rlx ->' has the wrong form"},
        {"T0: Q x 1 rlx", "'Q' is not an operation"},
        {"T0: R x relaxed -> a", "'relaxed' is not a memory order"},
        {"T0: AW x lt 1 acq", "'lt' is not eq, ne or ge"},
        {"T0: R x rlx -> a; IF a 1; IF a 1; FI", "IF without FI"},
        {"T0: FI", "FI without IF"},
        {"T0: R x rlx -> a; IF a 1; FI a", "'FI a' has the wrong form"},
        {"T0: W x one rlx", "'one' is not a number"},
        {"T0: W x 1.5 rlx", "'1.5' is not a number"},
        {"T0: W x 9223372036854775808 rlx", "'9223372036854775808' is out of range"},
        {"T0: CH 0 -> a", "'CH 0 -> a' chooses from nothing"},
        {"T0: CH -1 -> a", "'-1' is out of range"},
        {"T0: SP 3", "there is no thread 3"},
        {"T0: W 1 x rlx", "'1' is not a name"},
        {"T0: R x rlx -> a; W y $a-1 rlx", "'a-1' is not a name"},
        {"T0: W x $ rlx", "'' is not a name"},
        {"T0: F sc | T0: F sc", "'T0' stands where T1 belongs"},
        {"x: F sc", "'x' stands where T0 belongs"},
        {repeated("F sc | ", 63), "there are more than 63 threads"},
        {repeated("F sc; ", 4'001), "there are more than 4000 operations in a thread"},
    };
    for (const auto& [text, sentence] : refused) {
        EXPECT_EQ(refusal(text), sentence);
    }
}

TEST(Litmus, AnOrderThatTheOperationCannotHaveIsRefused) {
    for (const char* const text : {"W x 1 acq", "W x 1 ar", "R x rel", "R x ar -> a", "AW x eq 1 rel",
                                   "CAS x 0 1 sc rel", "WCAS x 0 1 sc ar -> a"}) {
        EXPECT_EQ(refusal(text), "'" + std::string(text) + "' has an order that it cannot have");
    }
    for (const char* const text : {"W x 1 sc", "R x sc", "CAS x 0 1 rlx sc", "XCHG x 1 ar", "LK l 0 1 rel", "F rlx"}) {
        EXPECT_EQ(refusal(text), "");
    }
}

TEST(Litmus, ARegisterWhoseValueWouldBeAMatterOfChanceIsRefused) {
    EXPECT_EQ(refusal("T0: IF a 1; FI"), "nothing sets the register 'a'");
    for (const char* const text : {
             "T0: R x rlx -> a | T1: W y $a rlx",
             "T0: R x rlx -> a | T1: R x rlx -> a",
             "T0: SP 1; R x rlx -> a | T1: W y $a rlx",
             "T0: SP 1; W y $a rlx; JN 1 | T1: R x rlx -> a",
             // Passed over where the choice is 0.
             "T0: SP 1; CH 2 -> b; IF b 1; JN 1; FI; W y $a rlx | T1: R x rlx -> a",
             "T0: CH 2 -> a; SP 2 | T1: R x rlx -> b; IF b 1; SP 2; FI | T2: W y $a rlx",
         }) {
        EXPECT_EQ(refusal(text).find("the threads "), 0U) << text;
    }
    for (const char* const text : {
             "T0: R x rlx -> a; SP 1 | T1: W y $a rlx",
             "T0: SP 1; JN 1; W y $a rlx | T1: R x rlx -> a",
             "T0: SP 1; CH 2 -> b; IF b 1; JN 1; W y $a rlx; FI | T1: R x rlx -> a",
             "T0: SP 1; JN 1; SP 2 | T1: R x rlx -> a | T2: W y $a rlx",
             "T0: SP 1; SP 2 | T1: R x rlx -> a | T2: JN 1; W y $a rlx",
             "T0: SP 1; JN 1; W y $a rlx | T1: SP 2; JN 2 | T2: R x rlx -> a",
             "T0: R x rlx -> a; CH 2 -> b; IF b 0; SP 1; FI; IF b 1; SP 1; FI | T1: W y $a rlx",
         }) {
        EXPECT_EQ(refusal(text), "") << text;
    }
}

TEST(Litmus, AThreadThatCanNeverStartIsRefused) {
    EXPECT_EQ(refusal("T0: SP 0"), "the thread 0 can never start");
    EXPECT_EQ(refusal("T0: F sc | T1: SP 2 | T2: SP 1"), "the thread 1 can never start");
    EXPECT_EQ(refusal("T0: SP 2 | T1: SP 0 | T2: F sc"), "");
}

TEST(Litmus, LargeProgramsAreExplored) {
    std::string threads;
    for (int t = 0; t != 63; ++t) {
        const std::string number = std::to_string(t);
        threads.append(t == 0 ? "W x" : " | W x").append(number).append(" 1 rlx; R x").append(number);
        threads.append(" rlx -> r").append(number);
    }
    EXPECT_EQ(executions(threads.c_str(), memory_model::rc11), 1U);
    EXPECT_EQ(executions(repeated("ADD x 1 rlx; ", 4'000).c_str(), memory_model::rc11), 1U);
    std::string names;
    for (int i = 0; i != 4'000; ++i) {
        const std::string number = std::to_string(i);
        names.append("R x").append(number).append(" rlx -> a").append(number).append("; ");
    }
    EXPECT_EQ(executions(names.c_str(), memory_model::rc11), 1U);
    EXPECT_EQ(
        executions(("R x rlx -> a; " + repeated("IF a 0; ", 1'000) + "W y 1 rlx; " + repeated("FI; ", 1'000)).c_str(),
                   memory_model::rc11),
        1U);
}

TEST(Litmus, NumbersWrapAround) {
    EXPECT_EQ(outcomes("T0: W x 9223372036854775807 rlx; R x rlx -> a; W y $a+2 rlx; R y rlx -> b"),
              "{9223372036854775807,-9223372036854775807}x1 ");
}

}  // namespace
