// An execution for a person to read.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "proofs/explorer/src/graph.hpp"

namespace quiesce::explorer::detail {

/// Where in the program: the file's name and the line.
std::string place_of(const request& asked);

/// An event in each line, in an order that extends program order and reads-from; a column for each thread. `names` are
/// those that the program gave, by location, null where it gave none. Initial values are left out.
std::string trace_of(const graph& g, std::size_t threads, const std::vector<const char*>& names);

}  // namespace quiesce::explorer::detail
