// proofs/claims.tsv as values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "relacy_models/words.hpp"

namespace quiesce::models::proofs {

struct claim {
    std::string name;
    std::string size;
    std::string verdict;
    std::uint64_t executions = 0;
};

inline std::vector<claim> read_claims(const std::string& text) {
    std::vector<claim> claims;
    const std::vector<std::string> lines = split(text, '\n');
    for (std::size_t i = 1; i < lines.size(); ++i) {
        const std::vector<std::string> columns = split(lines[i], '\t');
        claims.push_back({columns[0], columns[1], columns[3], std::stoull(columns[4])});
    }
    return claims;
}

/// Whether a run of the claimed case and size came to another number of executions. A run that fails where the claim is
/// that none does, or the other way round, contradicts no number: its verdict is what there is to tell.
inline bool counts_otherwise(const claim& c, const std::string& verdict, std::uint64_t executions) {
    const bool finished = verdict == "exhausted" || verdict == "violated";
    return finished && (verdict == "exhausted") == (c.verdict == "exhausted") && executions != c.executions;
}

/// The first claim of a case, or of a size of it, that there is not; null if there is none such. A claim that nothing
/// checks any more must not go on standing there.
template <class Exists>
const claim* first_orphan(const std::vector<claim>& claims, Exists exists) {
    for (const claim& c : claims) {
        if (!exists(c)) {
            return &c;
        }
    }
    return nullptr;
}

}  // namespace quiesce::models::proofs
