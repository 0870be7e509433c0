#include "proofs/explorer/notation/corpus.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <set>

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

std::string number_in(const std::string& column, const std::string& text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
        throw notation_error("in the column " + column + " stands " + in_quotes(text) + ", which is not a number");
    }
    return std::to_string(value);
}

corpus_row row_of(const std::vector<std::string>& names, const std::vector<std::string>& parts) {
    if (parts.size() != names.size()) {
        throw notation_error("there are " + std::to_string(parts.size()) + " columns, not " +
                             std::to_string(names.size()));
    }
    // So that a table with a mistake in its last line is refused at once, not after a search of minutes.
    (void)parse(parts[1]);
    corpus_row row{parts[0], parts[1], {}};
    for (std::size_t c = 2; c != parts.size(); ++c) {
        row.known[names[c]] = names[c] == "outcomes" ? parts[c] : number_in(names[c], parts[c]);
    }
    return row;
}

}  // namespace

std::vector<corpus_row> read_corpus(const std::filesystem::path& file) {
    std::ifstream in(file);
    const bool is_empty = in.peek() == std::ifstream::traits_type::eof();
    if (!in.is_open() || in.bad()) {
        throw notation_error(file.string() + " cannot be read");
    }
    if (is_empty) {
        throw notation_error(file.string() + " is empty");
    }
    std::string line;
    std::getline(in, line);
    const std::vector<std::string> names = columns(line);
    if (names.size() < 3 || names[0] != "name" || names[1] != "program") {
        throw notation_error(file.string() + " does not begin with the columns name, program and what is known");
    }
    for (auto c = names.begin() + 2; c != names.end(); ++c) {
        if (std::find(known_columns.begin(), known_columns.end(), *c) == known_columns.end()) {
            throw notation_error(file.string() + " has the unknown column " + in_quotes(*c));
        }
        if (std::find(names.begin(), c, *c) != c) {
            throw notation_error(file.string() + " has the column " + *c + " twice");
        }
    }
    std::vector<corpus_row> rows;
    std::set<std::string> seen;
    for (unsigned number = 2; std::getline(in, line); ++number) {
        const std::vector<std::string> parts = columns(line);
        if (parts.size() == 1 && parts[0].empty()) {
            continue;
        }
        try {
            rows.push_back(row_of(names, parts));
            if (!seen.insert(parts[0]).second) {
                throw notation_error("the name " + in_quotes(parts[0]) + " is there already");
            }
        } catch (const notation_error& e) {
            throw notation_error(file.string() + ":" + std::to_string(number) + ": " + e.what());
        }
    }
    if (rows.empty()) {
        throw notation_error(file.string() + " has no programs");
    }
    return rows;
}

std::string difference(const corpus_row& row, const options& how) {
    const program p = parse(row.text);
    const report r = explore(p, how);
    if (r.verdict != verdict::exhausted && r.verdict != verdict::violated) {
        throw notation_error(r.violation.kind + ": " + r.violation.message);
    }
    std::string differs;
    for (const auto& [column, value] : row.known) {
        const std::string now = found(p, r, column);
        if (now != value) {
            differs.append(differs.empty() ? "" : "; ").append(column).append(" ").append(now);
            differs.append(" instead of ").append(value);
        }
    }
    return differs;
}

}  // namespace quiesce::explorer::litmus
