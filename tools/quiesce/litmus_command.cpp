#include "tools/quiesce/litmus_command.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "proofs/explorer/notation/corpus.hpp"
#include "tools/quiesce/text.hpp"
#include "tools/quiesce/usage_error.hpp"

namespace quiesce::frontend {

namespace {

explorer::memory_model model_named(const std::string& name) {
    if (name == "rc11") {
        return explorer::memory_model::rc11;
    }
    if (name == "cpp20") {
        return explorer::memory_model::cpp20;
    }
    if (name == "sc") {
        return explorer::memory_model::sc;
    }
    throw usage_error(fmt::format("'{}' is not a memory model; rc11, cpp20 and sc are.", name));
}

}  // namespace

exit_code litmus(const options& o) {
    explorer::options how;
    how.model = model_named(o.model);
    std::size_t rows = 0;
    std::size_t agree = 0;
    for (const std::filesystem::path& file : o.files) {
        std::vector<explorer::litmus::corpus_row> corpus;
        try {
            corpus = explorer::litmus::read_corpus(file);
        } catch (const explorer::litmus::notation_error& e) {
            throw usage_error(printable(fmt::format("{}.", e.what())));
        }
        for (const explorer::litmus::corpus_row& row : corpus) {
            ++rows;
            std::string difference;
            try {
                difference = explorer::litmus::difference(row, how);
            } catch (const explorer::litmus::notation_error& e) {
                throw usage_error(printable(fmt::format("{}: {}: {}.", file.string(), row.name, e.what())));
            }
            if (difference.empty()) {
                ++agree;
            } else {
                fmt::print("{}: {}\n    {}\n", printable(row.name), printable(difference), printable(row.text));
                std::fflush(stdout);
            }
        }
    }
    fmt::print("{} of {} rows agree\n", agree, rows);
    return agree == rows ? exit_as_expected : exit_unexpected;
}

}  // namespace quiesce::frontend
