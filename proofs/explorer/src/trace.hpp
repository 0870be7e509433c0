// An execution for a person to read.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "proofs/explorer/src/graph.hpp"

namespace quiesce::explorer::detail {

/// The name that the program gave a location, or nothing.
using namer = std::function<std::string(std::uint32_t location)>;

/// Where in the program: the file's name and the line.
std::string place_of(const request& asked);
std::string place_of(const place& at);

/// A location without a name is known by where it was first written, its declaration.
std::string location_name(const graph& g, std::uint32_t location, const namer& names);

/// What an operation asks for.
std::string describe(const request& asked, const namer& names);

/// An event in each line, in an order that extends program order and reads-from; a column for each thread. Initial
/// values are left out.
std::string trace_of(const graph& g, const namer& names);

}  // namespace quiesce::explorer::detail
