#include "tools/quiesce/output_files.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <system_error>

#include "tools/quiesce/usage_error.hpp"

namespace quiesce::frontend {

namespace fs = std::filesystem;

void prepare_directory(const fs::path& directory) {
    std::error_code error;
    fs::create_directories(directory, error);
    if (!fs::is_directory(directory) || access(directory.c_str(), W_OK | X_OK) != 0) {
        throw usage_error(fmt::format("the output directory '{}' cannot be written to.", directory.string()));
    }
}

void prepare_file(const fs::path& file) {
    if (!file.empty() && !std::ofstream(file, std::ios::app)) {
        throw usage_error(fmt::format("the report '{}' cannot be written.", file.string()));
    }
}

bool write_file(const fs::path& file, const std::string& text) {
    if (file.empty()) {
        return true;
    }
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out << text;
    out.close();
    if (!out) {
        fmt::print(stderr, "quiesce: the report '{}' could not be written.\n", file.string());
    }
    return out.good();
}

}  // namespace quiesce::frontend
