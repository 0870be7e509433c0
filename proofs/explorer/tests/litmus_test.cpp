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

TEST(Litmus, WhatIsNotInTheNotationIsRefusedInOneSentence) {
    for (const char* const text : {"T0: W x", "T0: Q x 1 rlx", "T0: R x relaxed -> a", "T0: IF a 1; W x 1 rlx",
                                   "T0: FI", "T0: SP 3", "T0: W x one rlx", "T0: AW x lt 1 acq"}) {
        EXPECT_THROW((void)litmus::parse(text), litmus::notation_error) << text;
    }
}

}  // namespace
