// Files that a command writes.
#pragma once

#include <filesystem>
#include <string>

namespace quiesce::frontend {

/// Makes the directory if it is not there. Throws usage_error if it cannot be written to.
void prepare_directory(const std::filesystem::path& directory);

/// Hours of checking must not end with a report that has nowhere to go: throws usage_error if the file cannot be
/// written. No name is no file.
void prepare_file(const std::filesystem::path& file);

/// Says so on standard error, and returns false, if it could not be written. No name is no file.
bool write_file(const std::filesystem::path& file, const std::string& text);

}  // namespace quiesce::frontend
