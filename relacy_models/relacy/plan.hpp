// What `quiesce check` runs under Relacy when it is not told otherwise.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relacy_models/relacy/simulation.hpp"

namespace quiesce::models::relacy {

struct planned_run {
    search by;
    std::string_view size;
    std::uint64_t iterations;
    unsigned bound;
    /// The verdict of the correct protocol; a defect's expected findings stand with the defect.
    std::string_view expect;
};

/// The parts of a list whose separators are blanks, as findings and sizes are written.
std::vector<std::string> words(std::string_view text);

/// Whether the scenario runs with the sizes of that name.
bool runs_with(const scenario_info& scenario, std::string_view size);

std::vector<planned_run> plan_of(const scenario_info& scenario, const defect_info* defect);

std::string_view name_of(search s);
std::optional<search> search_named(std::string_view name);

/// All scenarios, ordered by name.
std::vector<const entry*> entries_by_name();

}  // namespace quiesce::models::relacy
