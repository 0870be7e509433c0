// The axioms of the memory models once more, so plainly that they can be read beside their sources: every execution
// that the text of a program allows is built and judged as a whole. For small programs; shares only the parser with the
// explorer.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "proofs/explorer/notation/program.hpp"
#include "proofs/explorer/tests/mistake.hpp"

namespace quiesce::explorer::tests {

struct enumeration {
    std::uint64_t complete = 0;
    std::uint64_t deadlocks = 0;
    std::uint64_t racy = 0;
    /// As litmus::explore gives them.
    std::map<std::vector<std::int64_t>, std::uint64_t> outcomes;

    bool operator==(const enumeration&) const = default;
};

/// Light and heavy fences are known to memory_model::rc11 only.
enumeration enumerate(const litmus::program& p, memory_model model, mistake wrong = mistake::none);

/// Whether no more candidates than `most` have to be judged.
bool has_at_most(const litmus::program& p, std::uint64_t most);

}  // namespace quiesce::explorer::tests
