// Text from engines, made fit for terminals and file names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace quiesce::frontend {

/// Control characters become '?': a message must not be able to move the cursor or start a new line.
std::string printable(std::string_view text);

/// The printable start of a text that may be long.
std::string excerpt(std::string_view text);

/// A text as part of a file name: no directory separators, no leading dot.
std::string file_name_part(std::string_view text);

std::string joined(const std::vector<std::string>& words, std::string_view separator);

}  // namespace quiesce::frontend
