// Files of litmus programs with their known answers: tab-separated, the first line names the columns.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "proofs/explorer/notation/program.hpp"

namespace quiesce::explorer::litmus {

struct corpus_row {
    std::string name;
    /// In the notation.
    std::string text;
    /// By the column's name: executions, racy_executions, outcomes, distinct_outcomes, deadlocks.
    std::map<std::string, std::string> known;
};

/// Throws notation_error, which names the line, when the file cannot be read, is not such a file, or has a program that
/// is not in the notation.
std::vector<corpus_row> read_corpus(const std::filesystem::path& file);

/// Explores the program; what differs from what is known, or nothing. Throws notation_error where it cannot be
/// explored.
std::string difference(const corpus_row& row, const options& how);

}  // namespace quiesce::explorer::litmus
