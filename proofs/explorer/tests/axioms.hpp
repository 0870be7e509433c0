// The axioms of the memory models, with which an execution is judged as a whole.
//
// Source: Lahav, Vafeiadis, Kang, Hur and Dreyer, "Repairing Sequential Consistency in C/C++11", 2017; for C++20
// [intro.races] and [atomics.order] of N4861.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "proofs/explorer/notation/program.hpp"
#include "proofs/explorer/tests/mistake.hpp"

namespace quiesce::explorer::tests {

// A read-modify-write that succeeds is one event.
struct event {
    static constexpr unsigned no_thread = ~0U;

    unsigned thread = no_thread;
    bool reads = false;
    bool writes = false;
    bool non_atomic = false;
    unsigned location = 0;
    std::memory_order order = std::memory_order_relaxed;
    std::int64_t value = 0;
    unsigned source = 0;
    /// For what is not an access.
    litmus::opcode other = litmus::opcode::store;
    detail::fence_kind fence = detail::fence_kind::standard;
    unsigned other_thread = 0;

    bool is_access() const { return reads || writes; }
    bool is_fence() const { return other == litmus::opcode::fence; }
};

/// The writes of each location, from the first to the last.
using modification_orders = std::vector<std::vector<unsigned>>;

struct judgement {
    bool consistent = false;
    /// Whether two accesses race, where it is consistent.
    bool racy = false;
};

/// `events` are those of every thread in its order, and initial writes. Program order and reads-from have no cycle.
judgement judge(const std::vector<event>& events, const modification_orders& orders, memory_model model, mistake wrong);

}  // namespace quiesce::explorer::tests
