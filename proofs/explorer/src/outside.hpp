// Objects from outside the runs: of static storage, or of whoever calls explore.
//
// Outside the runs they are ordinary variables. In a run each is a location whose first value is the one that it has
// outside, written before all else; what the run stores is not there afterwards. A variable of static storage that a
// run comes by for the first time is constructed there as well, once in the process: so this is no operation, and every
// execution sees the same.
#pragma once

#include <cstdint>

#include <quiesce/explorer/operations.hpp>

namespace quiesce::explorer::detail {

std::uint64_t perform_outside(const access& a, const place& at, bool* succeeded);
/// The value that an object has outside.
std::uint64_t value_outside(const void* cell, std::size_t bytes);
void construct_outside(const access& a, const place& at);
/// Where it was constructed, or null if there is no such object.
const place* constructed_outside(const void* cell);

}  // namespace quiesce::explorer::detail
