// The command line.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tools/quiesce/expectation.hpp"

namespace quiesce::frontend {

enum class command : std::uint8_t { list, check, defects, litmus, nothing };

struct options {
    /// `nothing`: help or the version was asked for, and has been printed.
    command what = command::nothing;
    std::vector<std::string> names;
    /// Empty: all.
    std::string engine;
    /// None: where engines are looked for by default.
    std::optional<std::filesystem::path> engine_dir;
    overrides instead_of_plan;
    unsigned jobs = 1;
    double hang_timeout = 120;
    std::filesystem::path junit;
    std::filesystem::path json;
    std::filesystem::path out = "quiesce-out";
    bool strict = false;
    /// Whether runs are made that the engines plan for whoever has the time.
    bool deep = false;
    /// Of `defects`: the document that holds the table, and whether it is written there; empty: the table is printed.
    std::filesystem::path document;
    bool update = false;
    /// Of litmus programs, and the memory model.
    std::vector<std::filesystem::path> files;
    std::string model = "rc11";
};

/// Throws usage_error.
options parse_options(int argc, const char* const* argv);

}  // namespace quiesce::frontend
