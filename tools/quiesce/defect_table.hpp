// What engines made of seeded defects, as Markdown.
#pragma once

#include <string>
#include <vector>

#include "tools/quiesce/engines.hpp"
#include "tools/quiesce/run.hpp"

namespace quiesce::frontend {

/// The search in which an engine explores everything that a sequentially consistent machine would do.
inline constexpr const char* sequential_search = "exhaustive_sc";

/// The defects with an id, in the order of the ids; then those without one that some engine finds, and that no
/// sequentially consistent machine shows.
std::string defect_table(const std::vector<engine>& engines, const std::vector<run>& runs);

/// The table that stands in a document between two marks, without them. Throws usage_error if the marks are not there.
std::string table_in(const std::string& document, const std::string& file);

/// The document with that table in place of its own.
std::string with_table(const std::string& document, const std::string& table, const std::string& file);

/// The lines, each with its sign, in which two tables differ when times are left out; empty if in none.
std::string difference_but_for_times(const std::string& written, const std::string& found);

}  // namespace quiesce::frontend
