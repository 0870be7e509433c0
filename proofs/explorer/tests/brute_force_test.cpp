// The engine against the axioms, on programs that nobody chose.
#include "proofs/explorer/tests/brute_force.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "proofs/explorer/notation/corpus.hpp"
#include "proofs/explorer/tests/random_programs.hpp"

namespace {

using namespace quiesce::explorer;
using tests::enumerate;
using tests::enumeration;
using tests::mistake;

const char* name(memory_model model) {
    switch (model) {
        case memory_model::rc11: return "rc11";
        case memory_model::cpp20: return "cpp20";
        case memory_model::sc: return "sc";
    }
    return "";
}

std::string describe(const litmus::program& p, const enumeration& e) {
    std::string text = std::to_string(e.complete) + " complete, " + std::to_string(e.deadlocks) + " deadlocks, " +
                       std::to_string(e.racy) + " racy;";
    for (const auto& [outcome, times] : e.outcomes) {
        text += " " + litmus::describe(p, outcome) + "x" + std::to_string(times);
    }
    return text;
}

// What the explorer's outcomes leave out is what a thread does that nobody waits for.
bool joins_all(const litmus::program& p) {
    std::vector<bool> joined(p.threads.size());
    for (const auto& instructions : p.threads) {
        for (const litmus::instruction& i : instructions) {
            if (i.what == litmus::opcode::join) {
                joined[i.target] = true;
            }
        }
    }
    return joined == p.spawned;
}

enumeration explored(const litmus::program& p, memory_model model, std::string& gave_up) {
    const report r = litmus::explore(p, {.model = model});
    if (r.verdict != verdict::exhausted && r.verdict != verdict::violated) {
        gave_up = "\nthe engine gave up: " + r.violation.kind + ": " + r.violation.message;
    }
    return {r.executions, r.deadlocks, r.racy, r.outcomes};
}

// Nothing where both find the same.
std::string difference(const std::string& text, memory_model model, mistake wrong = mistake::none) {
    const litmus::program p = litmus::parse(text);
    std::string differs;
    enumeration engine = explored(p, model, differs);
    enumeration axioms = enumerate(p, model, wrong);
    if (!joins_all(p)) {
        engine.outcomes.clear();
        axioms.outcomes.clear();
    }
    if (engine != axioms) {
        differs += "\naxioms: " + describe(p, axioms) + "\nengine: " + describe(p, engine);
    }
    return differs.empty() ? differs : std::string(name(model)) + " of " + text + differs;
}

// One seed is new in every run: some day it finds what the others do not.
std::vector<std::uint64_t> seeds(std::vector<std::uint64_t> fixed) {
    if (const char* const given = std::getenv("QUIESCE_SEED")) {
        return {std::strtoull(given, nullptr, 0)};
    }
    fixed.push_back(std::random_device()());
    return fixed;
}

using generator = std::string (*)(std::mt19937_64&);

struct totals {
    std::uint64_t programs = 0;
    std::uint64_t executions = 0;
    std::uint64_t deadlocking = 0;
    std::uint64_t racy = 0;
};

totals compare(generator generate, const std::vector<std::uint64_t>& from, unsigned programs,
               const std::vector<memory_model>& models) {
    constexpr unsigned most_reported = 5;
    unsigned differing = 0;
    totals all;
    for (std::size_t s = 0; s != from.size(); ++s) {
        std::cout << "QUIESCE_SEED=" << from[s] << '\n';
        std::mt19937_64 random(from[s]);
        for (unsigned n = 0; n != programs / from.size(); ++n) {
            const std::string text = generate(random);
            const enumeration axioms = enumerate(litmus::parse(text), memory_model::rc11);
            ++all.programs;
            all.executions += axioms.complete;
            all.deadlocking += axioms.deadlocks == 0 ? 0 : 1;
            all.racy += axioms.racy == 0 ? 0 : 1;
            for (const memory_model model : models) {
                const std::string differs =
                    model != memory_model::rc11 && tests::is_asymmetric(text) ? std::string() : difference(text, model);
                if (!differs.empty() && ++differing <= most_reported) {
                    ADD_FAILURE() << "QUIESCE_SEED=" << from[s] << ", program " << n << ": " << differs;
                }
            }
        }
    }
    EXPECT_EQ(differing, 0U);
    std::cout << all.programs << " programs, " << all.executions << " executions, " << all.deadlocking
              << " with deadlocks, " << all.racy << " with races\n";
    return all;
}

TEST(BruteForce, AgreesOnRandomProgramsInEveryModel) {
    const totals all = compare(tests::random_program, seeds({1, 2, 3}), 2'000,
                               {memory_model::rc11, memory_model::cpp20, memory_model::sc});
    EXPECT_EQ(all.programs, 2'000U);
    EXPECT_GT(all.executions, 10 * all.programs);
    EXPECT_GT(all.racy, 100U);
}

TEST(BruteForce, AgreesOnRandomProgramsThatWait) {
    const totals all = compare(tests::random_blocking_program, seeds({1}), 500,
                               {memory_model::rc11, memory_model::cpp20, memory_model::sc});
    EXPECT_EQ(all.programs, 500U);
    EXPECT_GT(all.executions, 2 * all.programs);
    EXPECT_GT(all.deadlocking, 100U);
}

// The smallest programs on which the two have differed.
TEST(BruteForce, AgreesWhereTheOrderOfCxx20IsSubtle) {
    for (const char* const text : {
             // A read-modify-write is one operation: what its own write or read synchronises with is not also sequenced
             // before or after it, so these are not strongly ordered.
             "T0: W x 0 sc; W y 1 rel | T1: ADD y 1 sc -> a | T2: W y 1 sc; R x sc -> b",
             "T0: CAS y 2 0 rlx acq -> a; R x sc -> b | T1: W x 1 sc; R y sc -> c; W y 1 rlx | T2: XCHG y 1 sc -> d",
             // The start and the end of a thread are.
             "T0: W x 1 sc; SP 1; JN 1 | T1: R y sc -> a | T2: W y 1 sc; R x sc -> b",
             "T0: R z rlx -> c; SP 1; JN 1; R y sc -> a | T1: W x 1 sc | T2: W y 1 sc; R x sc -> b",
         }) {
        EXPECT_EQ(difference(text, memory_model::cpp20), "");
    }
}

struct corpus_case {
    const char* file;
    unsigned rows;
};

class Corpus : public testing::TestWithParam<corpus_case> {};

// The known answers come from elsewhere; the engine has no part in this.
TEST_P(Corpus, IsWhatTheAxiomsGive) {
    constexpr std::uint64_t most_candidates = 400'000;
    unsigned compared = 0;
    for (const litmus::corpus_row& row : litmus::read_corpus(std::string(QUIESCE_LITMUS_DIR "/") + GetParam().file)) {
        const litmus::program p = litmus::parse(row.text);
        if (!tests::has_at_most(p, most_candidates)) {
            continue;
        }
        ++compared;
        const enumeration found = enumerate(p, memory_model::rc11);
        std::string outcomes;
        for (const auto& [outcome, times] : found.outcomes) {
            outcomes += (outcomes.empty() ? "" : " ") + litmus::describe(p, outcome) + "x" + std::to_string(times);
        }
        const std::map<std::string, std::string> columns = {
            {"executions", std::to_string(found.complete)},
            {"deadlocks", std::to_string(found.deadlocks)},
            {"racy_executions", std::to_string(found.racy)},
            {"distinct_outcomes", std::to_string(found.outcomes.size())},
            {"outcomes", outcomes},
        };
        for (const auto& [column, known] : row.known) {
            EXPECT_EQ(columns.at(column), known) << row.name << ", " << column << ": " << row.text;
        }
    }
    EXPECT_EQ(compared, GetParam().rows);
}

INSTANTIATE_TEST_SUITE_P(BruteForce, Corpus,
                         testing::Values(corpus_case{"rc11.tsv", 41}, corpus_case{"random_rc11.tsv", 194},
                                         corpus_case{"blocking_rc11.tsv", 483}),
                         [](const testing::TestParamInfo<corpus_case>& c) {
                             const std::string file = c.param.file;
                             return file.substr(0, file.find('.'));
                         });

struct mistake_case {
    const char* name;
    mistake wrong;
    memory_model model;
    generator generate;
};

class Mistake : public testing::TestWithParam<mistake_case> {};

TEST_P(Mistake, IsNoticed) {
    const mistake_case& c = GetParam();
    std::mt19937_64 random(1);
    for (unsigned n = 1; n <= 5'000; ++n) {
        const std::string text = c.generate(random);
        if (c.model != memory_model::rc11 && tests::is_asymmetric(text)) {
            continue;
        }
        const std::string differs = difference(text, c.model, c.wrong);
        if (!differs.empty()) {
            // The mistake and nothing else makes the difference.
            EXPECT_EQ(difference(text, c.model), "");
            std::cout << "program " << n << ": " << differs << '\n';
            return;
        }
    }
    FAIL() << "no program tells " << c.name << " from the axioms";
}

INSTANTIATE_TEST_SUITE_P(
    BruteForce, Mistake,
    testing::Values(
        mistake_case{"NoAtomicity", mistake::no_atomicity, memory_model::rc11, tests::random_program},
        mistake_case{"NoCoherence", mistake::no_coherence, memory_model::rc11, tests::random_program},
        mistake_case{"NoPsc", mistake::no_seq_cst, memory_model::rc11, tests::random_program},
        mistake_case{"NoFenceOrder", mistake::no_fence_order, memory_model::rc11, tests::random_program},
        mistake_case{"TwoLocations", mistake::two_locations, memory_model::rc11, tests::random_program},
        mistake_case{"OldReleaseSequences", mistake::old_release_sequences, memory_model::rc11, tests::random_program},
        mistake_case{"NoReleaseSequences", mistake::no_release_sequences, memory_model::rc11, tests::random_program},
        mistake_case{"NoFenceSynchronisation", mistake::no_fence_synchronisation, memory_model::rc11,
                     tests::random_program},
        mistake_case{"NonAtomicsSynchronise", mistake::non_atomics_synchronise, memory_model::rc11,
                     tests::random_program},
        mistake_case{"SuccessOrderOnFailure", mistake::success_order_on_failure, memory_model::rc11,
                     tests::random_program},
        mistake_case{"NoSpuriousFailure", mistake::no_spurious_failure, memory_model::rc11, tests::random_program},
        mistake_case{"LightFenceIsSeqCst", mistake::light_fence_is_seq_cst, memory_model::rc11, tests::random_program},
        mistake_case{"NoTotalOrder", mistake::no_seq_cst, memory_model::cpp20, tests::random_program},
        mistake_case{"ReadsFromNotInS", mistake::reads_from_not_in_s, memory_model::cpp20, tests::random_program},
        mistake_case{"HappensBeforeInS", mistake::happens_before_in_s, memory_model::cpp20, tests::random_program},
        mistake_case{"OldReadsInSc", mistake::old_reads_in_sc, memory_model::sc, tests::random_program},
        mistake_case{"ImpatientDeadlock", mistake::impatient_deadlock, memory_model::rc11,
                     tests::random_blocking_program}),
    [](const testing::TestParamInfo<mistake_case>& c) { return std::string(c.param.name); });

}  // namespace
