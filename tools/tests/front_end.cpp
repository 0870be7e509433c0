#include "tools/tests/front_end.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace quiesce::frontend::tests {

namespace fs = std::filesystem;

std::string program_result::last_line() const {
    if (out.size() < 2) {
        return out;
    }
    const std::size_t before = out.rfind('\n', out.size() - 2);
    const std::size_t begin = before == std::string::npos ? 0 : before + 1;
    return out.substr(begin, out.size() - begin - 1);
}

std::string program_result::line_of(const std::string& beginning) const {
    std::istringstream lines(out);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(beginning)) {
            return line;
        }
    }
    return "";
}

front_end::front_end(const std::vector<std::string>& engines) {
    std::string name = (fs::temp_directory_path() / "quiesce_frontend_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
        throw std::runtime_error("mkdtemp");
    }
    directory_ = name;
    for (const std::string& engine : engines) {
        fs::create_symlink(SCRIPTED_ENGINE, directory_ / ("quiesce-engine-" + engine));
    }
}

front_end::~front_end() {
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
}

pid_t front_end::start(const std::vector<std::string>& arguments, int terminal) const {
    std::vector<std::string> words{QUIESCE_PROGRAM};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    const std::string out = (directory_ / "stdout").string();
    const std::string err = (directory_ / "stderr").string();
    const pid_t program = fork();
    if (program == 0) {
        // A test runner in the background may have been started with these ignored.
        std::signal(SIGINT, SIG_DFL);
        std::signal(SIGTERM, SIG_DFL);
        setenv("QUIESCE_ENGINE_PATH", directory_.c_str(), 1);
        dup2(terminal >= 0 ? terminal : open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
        dup2(open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
        execv(argv[0], argv.data());
        _exit(126);
    }
    return program;
}

program_result front_end::wait(pid_t program) const {
    int status = 0;
    waitpid(program, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), contents(directory_ / "stdout"),
            contents(directory_ / "stderr")};
}

program_result front_end::run(const std::vector<std::string>& arguments) const {
    return wait(start(arguments));
}

program_result front_end::check(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"check", "--out", out().string()});
    return run(arguments);
}

std::string contents(const fs::path& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
}

std::string contents_when_written(const fs::path& file) {
    for (int i = 0; i < 500; ++i) {
        const std::string text = contents(file);
        if (text.ends_with('\n')) {
            return text;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return "";
}

}  // namespace quiesce::frontend::tests
