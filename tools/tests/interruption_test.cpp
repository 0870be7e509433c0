// What happens when the user loses patience, and what a terminal shows until then.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>
#include <utility>

#include "tools/tests/front_end.hpp"

namespace {

using namespace quiesce::frontend::tests;
namespace fs = std::filesystem;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;

// A killed process may stay a zombie until its adopter gets around to it; that is not "left behind".
bool is_running(pid_t process) {
    std::istringstream stat(contents("/proc/" + std::to_string(process) + "/stat"));
    std::string number;
    std::string name;
    std::string state;
    stat >> number >> name >> state;
    return !state.empty() && state != "Z" && state != "X";
}

bool ends_soon(pid_t process) {
    for (int i = 0; i < 250 && is_running(process); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return !is_running(process);
}

struct slow_run {
    front_end program;
    pid_t front = -1;
    pid_t engine = -1;
    pid_t child_of_engine = -1;

    explicit slow_run(int terminal = -1) {
        front = program.start({"check", "bounds", "slow", "hangs", "--jobs", "1", "--out", program.out().string(),
                               "--json", json().string(), "--junit", junit().string()},
                              terminal);
        std::istringstream pids(contents_when_written(program.out() / "slow.scripted.full.1.trace.txt"));
        pids >> engine >> child_of_engine;
    }
    slow_run(const slow_run&) = delete;
    slow_run& operator=(const slow_run&) = delete;
    // A test that gave up early must not leave it running either.
    ~slow_run() {
        if (front > 0) {
            kill(front, SIGKILL);
            program.wait(front);
        }
    }

    program_result wait() { return program.wait(std::exchange(front, -1)); }
    fs::path json() const { return program.directory() / "report.json"; }
    fs::path junit() const { return program.directory() / "report.xml"; }
    bool begun() const {
        return engine > 0 && child_of_engine > 0 && is_running(engine) && is_running(child_of_engine);
    }
};

class interruption : public testing::TestWithParam<int> {};

TEST_P(interruption, prints_the_table_so_far_writes_the_reports_and_leaves_no_child_behind) {
    slow_run s;
    ASSERT_TRUE(s.begun());
    kill(s.front, GetParam());
    const program_result r = s.wait();
    EXPECT_EQ(r.status, 130);
    EXPECT_TRUE(ends_soon(s.engine));
    EXPECT_TRUE(ends_soon(s.child_of_engine));
    EXPECT_THAT(r.line_of("bounds"), AllOf(HasSubstr("bounded"), EndsWith("ok")));
    EXPECT_THAT(r.line_of("slow"), EndsWith("interrupted"));
    EXPECT_THAT(r.line_of("hangs"), EndsWith("interrupted"));
    EXPECT_EQ(r.last_line(), "1 passed, 0 failed");

    const auto report = nlohmann::json::parse(contents(s.json()));
    EXPECT_EQ(report.at("interrupted"), true);
    EXPECT_EQ(report.at("not_finished"), 2);
    EXPECT_EQ(report.at("results").at(0).at("ok"), true);
    EXPECT_THAT(contents(s.junit()),
                AllOf(HasSubstr("tests=\"3\" failures=\"0\" errors=\"0\" skipped=\"2\""), EndsWith("</testsuite>\n")));
}

INSTANTIATE_TEST_SUITE_P(by, interruption, testing::Values(SIGINT, SIGTERM),
                         [](const auto& signal) { return signal.param == SIGINT ? "sigint" : "sigterm"; });

TEST(sudden_death, of_the_front_end_takes_the_engine_with_it) {
    slow_run s;
    ASSERT_TRUE(s.begun());
    kill(s.front, SIGKILL);
    EXPECT_EQ(s.wait().status, -SIGKILL);
    EXPECT_TRUE(ends_soon(s.engine));
    // Only the engine itself is promised to die; its child must not outlive the test either.
    kill(-s.engine, SIGKILL);
}

TEST(terminal, shows_a_status_line_of_the_running_case_and_redraws_it) {
    int master = -1;
    int terminal = -1;
    winsize size{20, 120, 0, 0};
    ASSERT_EQ(openpty(&master, &terminal, nullptr, nullptr, &size), 0);
    // Held by the front end too, its terminal would never hang up.
    fcntl(master, F_SETFD, FD_CLOEXEC);
    slow_run s(terminal);
    close(terminal);
    ASSERT_TRUE(s.begun());
    std::string shown;
    for (int i = 0; i < 500 && shown.find("\x1b[2A", shown.find("slow [full")) == std::string::npos; ++i) {
        char block[4096];
        pollfd waiting{master, POLLIN, 0};
        const ssize_t count = poll(&waiting, 1, 10'000) == 1 ? read(master, block, sizeof block) : 0;
        if (count <= 0) {
            break;
        }
        shown.append(block, static_cast<std::size_t>(count));
    }
    kill(s.front, SIGINT);
    for (char block[4096]; read(master, block, sizeof block) > 0;) {
    }
    EXPECT_EQ(s.wait().status, 130);
    close(master);
    EXPECT_THAT(shown, AllOf(HasSubstr("1 of 3 runs finished, 1 running"), HasSubstr("slow [full, size 1]")));
    EXPECT_THAT(shown, HasSubstr("\x1b[2A")) << "two lines are taken back before they are drawn again";
}

}  // namespace
