#include "bench/sampling.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <system_error>
#include <vector>

namespace quiesce::bench {

namespace {

std::string read_all(int descriptor) {
    std::string text;
    std::array<char, 4096> part{};
    for (;;) {
        const ssize_t n = read(descriptor, part.data(), part.size());
        if (n > 0) {
            text.append(part.data(), static_cast<std::size_t>(n));
        } else if (n == 0 || errno != EINTR) {
            return text;
        }
    }
}

int wait_for(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

/// Its standard output, when it has ended well.
std::string output_of(std::vector<std::string> words) {
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);

    std::array<int, 2> pipe_ends{};
    if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) {
        throw std::system_error(errno, std::generic_category(), "pipe");
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
    pid_t child = 0;
    const int error = posix_spawn(&child, "/proc/self/exe", &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_ends[1]);
    if (error != 0) {
        close(pipe_ends[0]);
        throw std::system_error(error, std::generic_category(), "posix_spawn");
    }
    std::string text = read_all(pipe_ends[0]);
    close(pipe_ends[0]);
    const int status = wait_for(child);
    if (WIFSIGNALED(status)) {
        throw sample_failed(fmt::format("ended by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status))));
    }
    if (WEXITSTATUS(status) != 0) {
        throw sample_failed(text.empty() ? fmt::format("ended with status {}", WEXITSTATUS(status)) : text);
    }
    return text;
}

}  // namespace

sample sample_in_own_process(const measurement& m, const workload& work) {
    const std::string text =
        output_of({"quiesce-bench", "--sample", key_of(m), "--objects", std::to_string(work.objects), "--sections",
                   std::to_string(work.sections), "--seconds", fmt::format("{}", work.seconds)});
    try {
        const nlohmann::json j = nlohmann::json::parse(text);
        return {j.at("value"), j.at("processor"), j.at("note")};
    } catch (const nlohmann::json::exception&) {
        throw sample_failed("printed something that is not a sample");
    }
}

int print_sample(const measurement& m, const workload& work) {
    try {
        const sample s = m.run(work);
        const nlohmann::json j{{"value", s.value}, {"processor", s.processor}, {"note", s.note}};
        std::fputs(j.dump().c_str(), stdout);
        return 0;
    } catch (const std::exception& e) {
        std::fputs(e.what(), stdout);
        return 1;
    }
}

}  // namespace quiesce::bench
