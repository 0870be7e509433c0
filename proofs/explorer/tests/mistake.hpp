// The mistakes that the enumerator can be told to make.
#pragma once

#include <cstdint>

namespace quiesce::explorer::tests {

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

}  // namespace quiesce::explorer::tests
