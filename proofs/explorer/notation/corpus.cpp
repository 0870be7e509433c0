#include "proofs/explorer/notation/corpus.hpp"

#include <algorithm>
#include <array>
#include <fstream>

namespace quiesce::explorer::litmus {

namespace {

constexpr std::array known_columns = {"executions", "racy_executions", "outcomes", "distinct_outcomes", "deadlocks"};

std::vector<std::string> columns(const std::string& line) {
    std::vector<std::string> parts(1);
    for (const char c : line) {
        if (c == '\t') {
            parts.emplace_back();
        } else if (c != '\r') {
            parts.back() += c;
        }
    }
    return parts;
}

std::string found(const program& p, const report& r, const std::string& column) {
    if (column == "executions") {
        return std::to_string(r.executions);
    }
    if (column == "racy_executions") {
        return std::to_string(r.racy);
    }
    if (column == "deadlocks") {
        return std::to_string(r.deadlocks);
    }
    if (column == "distinct_outcomes") {
        return std::to_string(r.outcomes.size());
    }
    std::string all;
    for (const auto& [values, times] : r.outcomes) {
        all += (all.empty() ? "" : " ") + describe(p, values) + "x" + std::to_string(times);
    }
    return all;
}

}  // namespace

std::vector<corpus_row> read_corpus(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::string line;
    if (!in || !std::getline(in, line)) {
        throw notation_error("cannot read " + file.string());
    }
    const std::vector<std::string> names = columns(line);
    if (names.size() < 3 || names[0] != "name" || names[1] != "program") {
        throw notation_error(file.string() + " does not begin with the columns name, program and what is known");
    }
    for (std::size_t c = 2; c != names.size(); ++c) {
        if (std::find(known_columns.begin(), known_columns.end(), names[c]) == known_columns.end()) {
            throw notation_error(file.string() + " has the unknown column '" + names[c] + "'");
        }
    }
    std::vector<corpus_row> rows;
    for (unsigned number = 2; std::getline(in, line); ++number) {
        if (line.empty()) {
            continue;
        }
        const std::vector<std::string> parts = columns(line);
        if (parts.size() != names.size()) {
            throw notation_error(file.string() + ":" + std::to_string(number) + " has " + std::to_string(parts.size()) +
                                 " columns, not " + std::to_string(names.size()));
        }
        corpus_row& row = rows.emplace_back(corpus_row{parts[0], parts[1], {}});
        for (std::size_t c = 2; c != parts.size(); ++c) {
            row.known[names[c]] = parts[c];
        }
    }
    return rows;
}

std::string difference(const corpus_row& row, const options& how) {
    const program p = parse(row.text);
    const report r = explore(p, how);
    if (r.verdict != verdict::exhausted && r.verdict != verdict::violated) {
        return r.violation.kind + ": " + r.violation.message;
    }
    std::string differs;
    for (const auto& [column, value] : row.known) {
        const std::string now = found(p, r, column);
        if (now != value) {
            differs += (differs.empty() ? "" : "; ") + column + " " + now + " instead of " + value;
        }
    }
    return differs;
}

}  // namespace quiesce::explorer::litmus
