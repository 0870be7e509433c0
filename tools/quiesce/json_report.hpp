// The report for programs.
#pragma once

#include <string>

#include "tools/quiesce/report.hpp"

namespace quiesce::frontend {

/// Says nothing about the machine: files are named relative to the output directory.
std::string json_report(const report& r);

}  // namespace quiesce::frontend
