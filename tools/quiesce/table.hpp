// Outcomes as text.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "tools/quiesce/run.hpp"

namespace quiesce::frontend {

/// "bound 2, size asym"
std::string search_of(const run& r);

/// "violated: data_race". An engine's exhausted search is a fact about that search and is worded so.
std::string verdict_of(const run& r);

/// "ok", "UNEXPECTED" or "interrupted", and whether engines disagree.
std::string mark_of(const run& r);

/// A finished run, without alignment.
std::string one_line(const run& r);

/// Columns padded to their widest cell; the last one is not padded.
std::string aligned(const std::vector<std::vector<std::string>>& rows);

/// The table, what to look at, and the summary line.
std::string final_table(const std::vector<run>& runs, const std::filesystem::path& out);

}  // namespace quiesce::frontend
