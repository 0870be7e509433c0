// The real program, driven by tests.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace quiesce::frontend::tests {

struct program_result {
    /// The exit status, or minus the signal.
    int status = -1;
    std::string out;
    std::string err;

    /// The last line of the output.
    std::string last_line() const;
    /// The first line of the output that begins so; empty if none does.
    std::string line_of(const std::string& beginning) const;
};

/// A directory of its own with links to the scripted engine, and the program with that directory as engine path.
class front_end {
public:
    explicit front_end(const std::vector<std::string>& engines = {"scripted"});
    front_end(const front_end&) = delete;
    front_end& operator=(const front_end&) = delete;
    ~front_end();

    const std::filesystem::path& directory() const { return directory_; }
    std::filesystem::path out() const { return directory_ / "out"; }

    program_result run(const std::vector<std::string>& arguments) const;
    /// `check` with an output directory of its own.
    program_result check(std::vector<std::string> arguments) const;

    /// For tests that act while the program runs. Its output goes to the files named out and err in `directory()`, or
    /// to the given descriptor.
    pid_t start(const std::vector<std::string>& arguments, int terminal = -1) const;
    program_result wait(pid_t program) const;

private:
    std::filesystem::path directory_;
};

std::string contents(const std::filesystem::path& file);

/// Waits until the file has contents; empty after ten seconds.
std::string contents_when_written(const std::filesystem::path& file);

}  // namespace quiesce::frontend::tests
