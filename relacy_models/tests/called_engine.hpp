// An engine as a program, driven by tests.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

namespace quiesce::models::tests {

struct answer {
    int status = -1;
    std::string output;

    std::vector<nlohmann::json> lines() const {
        std::istringstream text(output);
        std::vector<nlohmann::json> all;
        for (std::string line; std::getline(text, line);) {
            all.push_back(nlohmann::json::parse(line));
        }
        return all;
    }
};

/// The executable is QUIESCE_ENGINE.
inline answer call(const std::string& arguments) {
    answer a;
    FILE* const pipe = ::popen((std::string(QUIESCE_ENGINE) + " " + arguments + " 2>&1").c_str(), "r");
    char buffer[4096];
    while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) {
        a.output.append(buffer, n);
    }
    const int status = ::pclose(pipe);
    a.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return a;
}

inline nlohmann::json result_of(const std::string& arguments) {
    const answer a = call(arguments);
    EXPECT_EQ(a.status, 0) << a.output;
    nlohmann::json last = a.lines().back();
    EXPECT_EQ(last["type"], "result");
    return last;
}

/// The lines of the plan.
inline std::vector<nlohmann::json> plan() {
    const answer a = call("--describe");
    EXPECT_EQ(a.status, 0);
    std::vector<nlohmann::json> lines = a.lines();
    std::erase_if(lines, [](const nlohmann::json& j) { return j["type"] != "plan"; });
    return lines;
}

}  // namespace quiesce::models::tests
