// Readable traces from Relacy's history.
#pragma once

#include <string>

namespace quiesce::models::relacy {

/// Turns the raw history in `history` into a table with a column for each thread in `file`. Returns what Relacy said
/// of the failure. The names of objects are those that the scenario gave in the run that just ended.
std::string write_trace(const std::string& history, const std::string& file, const std::string& title,
                        unsigned threads);

}  // namespace quiesce::models::relacy
