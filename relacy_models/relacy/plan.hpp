// What `quiesce check` runs under Relacy when it is not told otherwise.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "relacy_models/relacy/simulation.hpp"

namespace quiesce::models::relacy {

std::vector<engine::planned_run> plan_of(const engine::subject& s);

std::string_view name_of(search s);
std::optional<search> search_named(std::string_view name);

}  // namespace quiesce::models::relacy
