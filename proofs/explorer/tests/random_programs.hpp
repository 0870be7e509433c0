// Small programs in the notation of the litmus tests, the same for the same state of the generator on every machine.
#pragma once

#include <random>
#include <string>

namespace quiesce::explorer::tests {

/// Two to four threads of stores, loads, read-modify-writes, fences and conditions. Now and then with non-atomic
/// accesses, or with light and heavy fences, which only memory_model::rc11 has: `is_asymmetric` tells.
std::string random_program(std::mt19937_64& random);

/// Those that wait, choose, assume, spawn and join as well.
std::string random_blocking_program(std::mt19937_64& random);

bool is_asymmetric(const std::string& program);

}  // namespace quiesce::explorer::tests
