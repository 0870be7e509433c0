// The axioms of the memory models once more, so plainly that they can be read beside their sources: every execution
// that the text of a program allows is built and judged as a whole. For small programs; shares only the parser with the
// explorer.
//
// Source: Lahav, Vafeiadis, Kang, Hur and Dreyer, "Repairing Sequential Consistency in C/C++11", 2017; for C++20
// [intro.races] and [atomics.order] of N4861.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "proofs/explorer/notation/program.hpp"

namespace quiesce::explorer::tests {

struct enumeration {
    std::uint64_t complete = 0;
    std::uint64_t deadlocks = 0;
    std::uint64_t racy = 0;
    /// As litmus::explore gives them.
    std::map<std::vector<std::int64_t>, std::uint64_t> outcomes;

    bool operator==(const enumeration&) const = default;
};

/// What is deliberately wrong. An enumerator that is never found to differ shows nothing.
enum class mistake : std::uint8_t {
    none,
    no_atomicity,
    no_coherence,
    /// Neither psc nor the order S.
    no_seq_cst,
    /// psc without what orders two fences through the accesses around them.
    no_fence_order,
    /// The halves of a read-modify-write are accesses of two locations in psc.
    two_locations,
    /// Those of C++11: stores of the same thread go on with one.
    old_release_sequences,
    no_release_sequences,
    no_fence_synchronisation,
    non_atomics_synchronise,
    success_order_on_failure,
    no_spurious_failure,
    light_fence_is_seq_cst,
    /// S does not respect reads-from.
    reads_from_not_in_s,
    /// S respects all of happens-before.
    happens_before_in_s,
    /// Interleavings in which a read may be of the past.
    old_reads_in_sc,
    /// A thread may be stuck though the newest value would let it go on.
    impatient_deadlock,
};

/// Light and heavy fences are known to memory_model::rc11 only.
enumeration enumerate(const litmus::program& p, memory_model model, mistake wrong = mistake::none);

/// Whether no more candidates than `most` have to be judged.
bool has_at_most(const litmus::program& p, std::uint64_t most);

}  // namespace quiesce::explorer::tests
