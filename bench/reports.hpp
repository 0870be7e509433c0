// Results for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "bench/options.hpp"
#include "bench/result.hpp"

namespace quiesce::bench {

std::string heading(const options& o);
/// One table with its ratios.
std::string text_of(const table& t);
/// The libraries that no table shows; empty when there are none.
std::string text_of(const std::vector<absent_library>& absent);

std::string json_of(const options& o, const std::vector<table>& tables);

}  // namespace quiesce::bench
