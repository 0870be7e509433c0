// The report for continuous integration, in the dialect that JUnit made common.
#pragma once

#include <string>
#include <string_view>

#include "tools/quiesce/report.hpp"

namespace quiesce::frontend {

/// For element text and attribute values. Bytes that XML cannot carry, even escaped, become U+FFFD.
std::string xml_escape(std::string_view text);

std::string junit_report(const report& r);

}  // namespace quiesce::frontend
