// The real program with little work: its rows, its reports and its refusals. Never its times.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

namespace {

using ::testing::HasSubstr;

struct outcome {
    int status = -1;
    /// Standard output and error, as they came.
    std::string text;
};

outcome run(const std::string& arguments) {
    // Quoted for the shell that popen starts.
    const std::string command = "'" QUIESCE_BENCH_PROGRAM "' " + arguments + " 2>&1";
    FILE* const stream = popen(command.c_str(), "r");
    if (stream == nullptr) {
        return {};
    }
    outcome o;
    for (int c = std::fgetc(stream); c != EOF; c = std::fgetc(stream)) {
        o.text += static_cast<char>(c);
    }
    const int status = pclose(stream);
    o.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return o;
}

constexpr const char* tiny = "--repeat 1 --objects 3000 --sections 1000 --seconds 0.02 ";

TEST(Bench, ShowsEveryMeasurementThatItLists) {
    const std::filesystem::path report =
        std::filesystem::temp_directory_path() / ("quiesce_bench_" + std::to_string(getpid()) + ".json");
    const outcome measured = run(tiny + ("--json '" + report.string() + "'"));
    EXPECT_EQ(measured.status, 0) << measured.text;

    std::ifstream file(report);
    const auto j = nlohmann::json::parse(file);
    std::filesystem::remove(report);
    std::string reported;
    for (const auto& table : j.at("tables")) {
        for (const auto& row : table.at("rows")) {
            EXPECT_EQ(row.at("samples").size(), 1U) << row;
            EXPECT_EQ(row.at("failure"), "") << row;
            EXPECT_THAT(measured.text, HasSubstr("\n  " + row.at("name").get<std::string>() + " "));
            reported += table.at("key").get<std::string>() + "/" + row.at("name").get<std::string>() + "\n";
        }
    }
    EXPECT_EQ(run("--list").text, reported);
    EXPECT_THAT(reported, HasSubstr("read_side/quiesce rcu_domain\n"));
    EXPECT_THAT(reported, HasSubstr("free_later_two_threads/malloc, freed at once\n"));
}

TEST(Bench, MeasuresOnlyWhatTheFilterNames) {
    EXPECT_EQ(run("--list --filter 'barrier/quiesce rcu_'").text, "barrier/quiesce rcu_barrier\n");
}

TEST(Bench, RefusesWrongUsageInOneSentenceWithStatus2) {
    for (const char* arguments : {"--repeat 0", "--repeat x", "--seconds 0", "--seconds 11", "--seconds nan",
                                  "--objects -1", "--sections 0", "--filter no_such_thing", "--sample no_such_thing",
                                  "--json /no/such/directory/report.json", "--nonsense", "stray"}) {
        const outcome o = run(arguments);
        EXPECT_EQ(o.status, 2) << arguments << ": " << o.text;
        EXPECT_EQ(o.text.rfind("quiesce-bench: ", 0), 0U) << o.text;
        EXPECT_EQ(o.text.find('\n'), o.text.size() - 1) << o.text;
    }
}

TEST(Bench, HelpNamesTheExitStatuses) {
    const outcome o = run("--help");
    EXPECT_EQ(o.status, 0);
    EXPECT_THAT(o.text, HasSubstr("Exit status: 0"));
}

}  // namespace
