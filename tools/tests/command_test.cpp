// The commands, their exit codes, and what misbehaving engines come to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tools/tests/front_end.hpp"

namespace {

using namespace quiesce::frontend::tests;
namespace fs = std::filesystem;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

bool one_sentence(const std::string& text) {
    return text.starts_with("quiesce: ") && text.find('\n') == text.size() - 1;
}

TEST(check, exits_with_0_when_everything_is_as_expected) {
    const program_result r = front_end().check({"exhausts__caught", "bounds"});
    EXPECT_EQ(r.status, 0) << r.out << r.err;
    EXPECT_EQ(r.last_line(), "2 passed, 0 failed");
    EXPECT_THAT(r.line_of("exhausts__caught"),
                AllOf(HasSubstr("D1"), HasSubstr("violated: data_race"), EndsWith("ok")));
    EXPECT_THAT(r.line_of("bounds"), HasSubstr("bound 3, size 1"));
}

TEST(check, of_a_scenario_runs_its_correct_case_and_its_defects_and_exits_with_1_if_one_is_missed) {
    const program_result r = front_end().check({"exhausts"});
    EXPECT_EQ(r.status, 1);
    EXPECT_EQ(r.last_line(), "2 passed, 1 failed");
    EXPECT_THAT(r.line_of("exhausts__missed"), EndsWith("UNEXPECTED"));
    EXPECT_THAT(r.line_of("exhausts "), EndsWith("ok"));
    EXPECT_THAT(r.line_of("The traces"), HasSubstr("/out."));
}

TEST(check, names_the_trace_of_an_unexpected_violation) {
    const front_end f;
    const program_result r = f.check({"violates"});
    EXPECT_EQ(r.status, 1);
    const std::string trace = (f.out() / "violates.scripted.full.1.trace.txt").string();
    EXPECT_THAT(r.out, HasSubstr(trace));
    EXPECT_EQ(contents(trace), "step 1\n");
}

TEST(check, strict_exits_with_3_when_a_run_stopped_at_a_limit_and_0_when_none_did) {
    EXPECT_EQ(front_end().check({"bounds", "--strict"}).status, 3);
    EXPECT_EQ(front_end().check({"exhausts__caught", "--strict"}).status, 0);
}

TEST(check, strict_does_not_hide_an_unexpected_verdict) {
    EXPECT_EQ(front_end().check({"bounds", "violates", "--strict"}).status, 1);
}

TEST(check, suggests_the_nearest_name_and_exits_with_2) {
    const program_result r = front_end().check({"exausts"});
    EXPECT_EQ(r.status, 2);
    EXPECT_EQ(r.err, "quiesce: there is no scenario 'exausts'; the nearest name is 'exhausts'.\n");
    EXPECT_EQ(r.out, "");
}

TEST(check, refuses_impossible_values_with_one_sentence_and_exits_with_2) {
    const std::vector<std::vector<std::string>> impossible{{"--jobs", "0"},
                                                           {"--jobs", "-1"},
                                                           {"--jobs", "many"},
                                                           {"--iterations", "0"},
                                                           {"--iterations", "-5"},
                                                           {"--time", "-1"},
                                                           {"--time", "0"},
                                                           {"--time", "nan"},
                                                           {"--seed", "-1"},
                                                           {"--scheduler", "best"},
                                                           {"--engine", "none"},
                                                           {"--hang-timeout", "0"},
                                                           {"--nonsense"},
                                                           {"--out", "/proc/no"},
                                                           {"--json", "/proc/no/json"},
                                                           {"--junit", "/proc/no/xml"}};
    for (const std::vector<std::string>& arguments : impossible) {
        const front_end f;
        std::vector<std::string> all{"check", "exhausts__caught"};
        all.insert(all.end(), arguments.begin(), arguments.end());
        if (arguments.front() != "--out") {
            all.insert(all.end(), {"--out", f.out().string()});
        }
        const program_result r = f.run(all);
        EXPECT_EQ(r.status, 2) << arguments.front() << ' ' << arguments.back() << r.out;
        EXPECT_TRUE(one_sentence(r.err)) << arguments.front() << ": " << r.err;
        EXPECT_EQ(r.out, "") << arguments.front();
    }
}

TEST(check, without_a_command_exits_with_2) {
    EXPECT_EQ(front_end().run({}).status, 2);
}

TEST(check, without_engines_exits_with_2) {
    const program_result r = front_end(std::vector<std::string>{}).check({});
    EXPECT_EQ(r.status, 2);
    EXPECT_TRUE(one_sentence(r.err)) << r.err;
    EXPECT_THAT(r.err, HasSubstr("no engine was found"));
}

TEST(check, takes_engines_from_the_named_directory_and_from_no_other) {
    const front_end named({"other"});
    const program_result r =
        front_end({"scripted", "broken"}).check({"bounds", "--engine-dir", named.directory().string()});
    EXPECT_EQ(r.status, 0) << r.out << r.err;
    EXPECT_THAT(r.out, AllOf(HasSubstr("other"), Not(HasSubstr("scripted")), Not(HasSubstr("broken"))));
}

TEST(list, takes_engines_from_the_named_directory_and_from_no_other) {
    const front_end named({"other"});
    const program_result r = front_end({"scripted"}).run({"list", "--engine-dir", named.directory().string()});
    EXPECT_EQ(r.status, 0) << r.err;
    EXPECT_THAT(r.out, AllOf(HasSubstr("other"), Not(HasSubstr("scripted"))));
}

TEST(check, of_a_directory_that_does_not_exist_or_has_no_engine_exits_with_2) {
    const front_end f;
    for (const std::string& missing : {(f.directory() / "missing").string(), std::string()}) {
        const program_result r = f.check({"bounds", "--engine-dir", missing});
        EXPECT_EQ(r.status, 2);
        EXPECT_EQ(r.err, "quiesce: '" + missing + "', where engines are to be, is not a directory.\n");
    }

    const front_end without(std::vector<std::string>{});
    const std::string empty = without.directory().string();
    const program_result r = f.check({"bounds", "--engine-dir", empty});
    EXPECT_EQ(r.status, 2);
    EXPECT_TRUE(one_sentence(r.err)) << r.err;
    EXPECT_THAT(r.err, HasSubstr("no engine was found in '" + empty + "'"));
}

TEST(check, of_a_case_without_a_planned_run_is_not_a_success) {
    const program_result r = front_end().check({"sized__unplanned"});
    EXPECT_EQ(r.status, 2);
    EXPECT_THAT(r.err, HasSubstr("no engine plans a run"));
}

TEST(check, says_which_case_of_a_scenario_no_run_is_planned_for) {
    const program_result r = front_end().check({"sized"});
    EXPECT_EQ(r.status, 0);
    EXPECT_THAT(r.err, HasSubstr("plans no run of 'sized__unplanned'"));
}

struct misbehaviour {
    const char* case_name;
    const char* sentence;
};

TEST(check, reports_a_misbehaving_engine_and_keeps_the_other_results) {
    const std::vector<misbehaviour> all{
        {"crashes", "engine scripted died of signal 11"},
        {"crashes_after_its_result", "engine scripted died of signal 11 after its result"},
        {"hangs", "engine scripted was silent for 0.5 seconds and was stopped"},
        {"prints_garbage", "engine scripted printed a line that is not a JSON object: '??[2Jnot a line"},
        {"exits_quietly", "engine scripted exited with status 3 without a result"},
        {"dies_mid_line", "engine scripted ended in the middle of a line"},
        {"answers_for_another", "engine scripted printed the result of another run"},
    };
    for (const misbehaviour& m : all) {
        const program_result r =
            front_end().check({m.case_name, "bounds", "exhausts__caught", "--hang-timeout", "0.5", "--jobs", "2"});
        EXPECT_EQ(r.status, 1) << m.case_name;
        EXPECT_EQ(r.last_line(), "2 passed, 1 failed") << r.out;
        EXPECT_THAT(r.line_of(std::string(m.case_name) + " "),
                    AllOf(HasSubstr("engine_error"), EndsWith("UNEXPECTED")));
        EXPECT_THAT(r.out, HasSubstr(m.sentence));
        EXPECT_THAT(r.out, Not(HasSubstr("\x1b"))) << "an engine must not reach the terminal";
    }
}

TEST(check, keeps_the_last_words_of_a_crashed_engine) {
    const front_end f;
    const program_result r = f.check({"crashes"});
    const fs::path kept = f.out() / "crashes.scripted.full.1.stderr.txt";
    EXPECT_EQ(contents(kept), "last words\n");
    EXPECT_THAT(r.out, HasSubstr(kept.string()));
}

TEST(check, does_not_take_an_old_trace_for_evidence) {
    const front_end f;
    fs::create_directories(f.out());
    const fs::path old = f.out() / "crashes.scripted.full.1.trace.txt";
    std::ofstream(old) << "old\n";
    EXPECT_THAT(f.check({"crashes"}).out, Not(HasSubstr(old.string())));
    EXPECT_FALSE(fs::exists(old));
}

TEST(check, reports_an_engine_that_cannot_describe_itself_and_runs_the_others) {
    const program_result r = front_end({"broken", "scripted"}).check({"bounds"});
    EXPECT_EQ(r.status, 1);
    EXPECT_EQ(r.last_line(), "1 passed, 1 failed");
    EXPECT_THAT(r.out, HasSubstr("engine broken died of signal 11"));
}

TEST(check, refuses_an_engine_of_another_protocol_version) {
    const program_result r = front_end({"newer"}).check({});
    EXPECT_EQ(r.status, 1);
    EXPECT_THAT(r.out, HasSubstr("engine newer printed protocol version 2"));
}

TEST(check, never_accepts_unreached_even_if_the_plan_does) {
    EXPECT_EQ(front_end().check({"unreached"}).status, 1);
}

TEST(check, accepts_unreached_when_the_user_limited_the_run_but_not_under_strict) {
    EXPECT_EQ(front_end().check({"unreached", "--iterations", "5"}).status, 0);
    EXPECT_EQ(front_end().check({"unreached", "--time", "5"}).status, 0);
    EXPECT_EQ(front_end().check({"unreached", "--seed", "5"}).status, 1);
    EXPECT_EQ(front_end().check({"unreached", "--iterations", "5", "--strict"}).status, 3);
}

TEST(check, hands_the_users_values_to_the_engine_and_then_accepts_a_limit) {
    const front_end f;
    EXPECT_EQ(f.check({"echoes"}).status, 1) << "timed_out is not what the plan expects";
    const fs::path json = f.directory() / "json";
    const program_result r = f.check({"echoes", "--scheduler", "bound", "--iterations", "55", "--time", "2.5", "--seed",
                                      "9", "--json", json.string()});
    EXPECT_EQ(r.status, 0) << r.out;
    EXPECT_THAT(contents(json), AllOf(HasSubstr("--bound 3"), HasSubstr("--iterations 55")));
    EXPECT_THAT(contents(json), AllOf(HasSubstr("--search bound"), HasSubstr("--seed 9"), HasSubstr("--time 2.5")));
}

TEST(check, makes_deep_runs_only_when_it_is_told_to) {
    const program_result without = front_end().check({"shallow_and_deep"});
    EXPECT_EQ(without.last_line(), "1 passed, 0 failed");
    EXPECT_EQ(without.err, "quiesce: engine scripted plans more runs with --deep: 1.\n");
    const program_result with = front_end().check({"shallow_and_deep", "--deep"});
    EXPECT_EQ(with.last_line(), "2 passed, 0 failed");
    EXPECT_EQ(with.err, "");
}

TEST(check, of_deep_runs_alone_says_what_makes_them) {
    const program_result r = front_end().check({"deep_echoes"});
    EXPECT_EQ(r.status, 2);
    EXPECT_TRUE(one_sentence(r.err)) << r.err;
    EXPECT_THAT(r.err, HasSubstr("--deep"));
}

TEST(check, limits_a_deep_run_as_planned_unless_the_user_says_otherwise) {
    const front_end f;
    const fs::path json = f.directory() / "json";
    const program_result r = f.check({"deep_echoes", "--deep", "--json", json.string()});
    EXPECT_EQ(r.status, 0) << r.out;
    EXPECT_THAT(contents(json), HasSubstr("--time 60 "));
    EXPECT_EQ(f.check({"deep_echoes", "--deep", "--strict"}).status, 3);
    EXPECT_EQ(f.check({"deep_echoes", "--deep", "--time", "2.5", "--json", json.string()}).status, 0);
    EXPECT_THAT(contents(json), HasSubstr("--time 2.5 "));
}

TEST(check, with_a_scheduler_keeps_one_run_for_each_case_and_size) {
    EXPECT_EQ(front_end().check({"sized"}).last_line(), "3 passed, 0 failed");
    EXPECT_EQ(front_end().check({"sized", "--scheduler", "random"}).last_line(), "2 passed, 0 failed");
}

TEST(check, a_missed_defect_stays_unexpected_under_overrides) {
    const program_result r = front_end().check({"exhausts__missed", "--iterations", "1", "--seed", "1"});
    EXPECT_EQ(r.status, 1);
}

TEST(check, marks_the_rows_on_which_engines_disagree) {
    const program_result r = front_end({"scripted", "other"}).check({"disputed", "exhausts__caught"});
    EXPECT_EQ(r.status, 1);
    EXPECT_THAT(r.line_of("disputed          -   scripted"), EndsWith("ok, ENGINES DISAGREE")) << r.out;
    EXPECT_THAT(r.out, HasSubstr("UNEXPECTED, ENGINES DISAGREE\n"));
    EXPECT_THAT(r.line_of("exhausts__caught"), Not(HasSubstr("DISAGREE")));
    EXPECT_THAT(r.out, HasSubstr("\nENGINES DISAGREE about disputed, size 1: other says violated: leak; "
                                 "scripted says exhausted\n"));
}

TEST(check, puts_what_several_engines_say_of_a_case_at_a_size_side_by_side) {
    const program_result r = front_end({"scripted", "other"}).check({"sized", "--scheduler", "full"});
    std::vector<std::string> rows;
    std::istringstream lines(r.out);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("sized ")) {
            rows.push_back(line);
        }
    }
    ASSERT_EQ(rows.size(), 4U) << r.out;
    for (unsigned i = 0; i != 4; ++i) {
        EXPECT_THAT(rows[i], HasSubstr(i < 2 ? "size 1" : "size 2"));
        EXPECT_THAT(rows[i], HasSubstr(i % 2 == 0 ? "  other  " : "  scripted  "));
    }
}

TEST(check, of_one_engine_leaves_the_others_alone) {
    const program_result r = front_end({"scripted", "other", "broken"}).check({"disputed", "--engine", "scripted"});
    EXPECT_EQ(r.status, 0) << r.out << r.err;
    EXPECT_EQ(r.last_line(), "1 passed, 0 failed");
}

TEST(check, words_an_exhausted_search_that_does_not_cover_everything_as_what_it_is) {
    const std::string narrow = front_end({"narrow"}).check({"disputed"}).line_of("disputed");
    EXPECT_THAT(narrow, HasSubstr("  exhausted (half of it)  "));
    EXPECT_THAT(front_end({"other"}).check({"disputed"}).line_of("disputed"), HasSubstr("  exhausted  "));
}

TEST(check, prints_a_line_for_each_finished_run_when_not_on_a_terminal) {
    const program_result r = front_end().check({"bounds"});
    EXPECT_THAT(r.out, StartsWith("[1/1] scripted bounds "));
    EXPECT_THAT(r.out, Not(HasSubstr("\x1b")));
}

TEST(list, shows_engines_scenarios_and_defects_with_all_engines_that_have_them) {
    const program_result r = front_end({"scripted", "other"}).run({"list"});
    EXPECT_EQ(r.status, 0);
    EXPECT_THAT(r.out, HasSubstr("It exhausts."));
    EXPECT_THAT(r.line_of("engine "), HasSubstr("random, bound, full"));
    EXPECT_THAT(r.line_of("defect "),
                AllOf(HasSubstr("exhausts__caught"), HasSubstr("D1"), HasSubstr("other,scripted")));
    EXPECT_THAT(front_end({"scripted", "other"}).run({"list", "--engine", "other"}).out, Not(HasSubstr("scripted")));
}

TEST(list, reports_a_broken_engine_and_exits_with_1) {
    const program_result r = front_end({"scripted", "broken"}).run({"list"});
    EXPECT_EQ(r.status, 1);
    EXPECT_THAT(r.err, HasSubstr("engine broken died of signal 11"));
    EXPECT_THAT(r.out, HasSubstr("It exhausts."));
}

TEST(program, prints_its_version_and_help) {
    const front_end f;
    EXPECT_THAT(f.run({"--version"}).out, testing::MatchesRegex("quiesce [0-9]+\\.[0-9.]+\n"));
    EXPECT_EQ(f.run({"--version"}).status, 0);
    EXPECT_EQ(f.run({"--help"}).status, 0);
    EXPECT_THAT(f.run({"check", "--help"}).out, HasSubstr("--hang-timeout"));
}

class litmus : public testing::Test {
protected:
    program_result run(const std::string& table, const std::vector<std::string>& more = {}) const {
        const fs::path file = f.directory() / "table.tsv";
        std::ofstream(file) << table;
        std::vector<std::string> arguments{"litmus", file.string()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return f.run(arguments);
    }

    front_end f;
};

constexpr const char* store_buffering =
    "name\tprogram\texecutions\nSB\tT0: W x 1 rlx; R y rlx -> a | T1: W y 1 rlx; R x rlx -> b\t4\n";

TEST_F(litmus, exits_with_0_when_every_row_agrees) {
    const program_result r = run(store_buffering);
    EXPECT_EQ(r.status, 0) << r.err;
    EXPECT_EQ(r.out, "1 of 1 rows agree\n");
}

TEST_F(litmus, prints_the_rows_that_differ_and_exits_with_1) {
    const program_result r = run(store_buffering, {"--model", "sc"});
    EXPECT_EQ(r.status, 1);
    EXPECT_THAT(r.out, StartsWith("SB: executions 3 instead of 4\n"));
    EXPECT_EQ(r.last_line(), "0 of 1 rows agree");
}

void expect_refusal(const program_result& r, const std::string& part) {
    EXPECT_EQ(r.status, 2) << r.out;
    EXPECT_EQ(r.out, "");
    EXPECT_TRUE(one_sentence(r.err)) << r.err;
    EXPECT_THAT(r.err, AllOf(HasSubstr(part), EndsWith(".\n")));
}

TEST_F(litmus, refuses_what_it_cannot_read_in_one_sentence_and_exits_with_2) {
    expect_refusal(run(store_buffering, {"--model", "armv8"}), "'armv8' is not a memory model");
    expect_refusal(f.run({"litmus", "/nonexistent"}), "/nonexistent cannot be read");
    expect_refusal(f.run({"litmus", f.directory().string()}), "cannot be read");
    expect_refusal(run(""), "table.tsv is empty");
    expect_refusal(run("nothing\n"), "does not begin with the columns");
    expect_refusal(run("name program executions\nSB W x 1 rlx 1\n"), "does not begin with the columns");
    expect_refusal(run("name\tprogram\n"), "does not begin with the columns");
    expect_refusal(run("name\tprogram\tmiracles\n"), "unknown column 'miracles'");
    expect_refusal(run("name\tprogram\tdeadlocks\tdeadlocks\n"), "has the column deadlocks twice");
    expect_refusal(run("name\tprogram\texecutions\n"), "table.tsv has no programs");
}

TEST_F(litmus, refuses_a_damaged_line_before_it_explores_any) {
    const std::vector<std::pair<std::string, std::string>> damaged = {
        {"MP\tT0: W x 1 rlx", "there are 2 columns, not 3"},
        {"MP\tT0: W x 1 rlx\t1\t", "there are 4 columns, not 3"},
        {"MP\tT0: W\tx 1 rlx\t1", "there are 4 columns, not 3"},
        {"SB\tT0: W x 1 rlx\t1", "the name 'SB' is there already"},
        {"MP\tT0: W x 1 rlx\t-1", "in the column executions stands '-1'"},
        {"MP\tT0: W x 1 rlx\t99999999999999999999",
         "in the column executions stands '99999999999999999999', which is not a number"},
        {"MP\tT0: W x 1 rlx\t", "in the column executions stands ''"},
        {"MP\tT0: Q x 1 rlx\t1", "'Q' is not an operation"},
        {"MP\tT0: \033[31m\t1", "'?[31m' is not an operation"},
        {"MP\tT0: " + std::string(100'000, 'Q') + "\t1", "'" + std::string(60, 'Q') + "...' is not an operation"},
    };
    for (const auto& [line, part] : damaged) {
        expect_refusal(run(store_buffering + (line + "\n")), "table.tsv:3: " + part);
    }
}

TEST_F(litmus, refuses_what_the_explorer_refuses) {
    const std::string table = "name\tprogram\texecutions\nearly\tT0: JN 1; SP 1 | T1: W x 1 rlx\t1\n";
    expect_refusal(run(table), "early: unsupported program: a thread is joined before it is spawned");
}

TEST_F(litmus, reads_tables_from_elsewhere) {
    for (const char* const table :
         {"name\tprogram\texecutions\r\n\r\nSB\tW x 1 rlx|R x rlx -> a\t2\r\n", "name\tprogram\texecutions\nSB\t\t01",
          "name\tprogram\toutcomes\nSB\t  W x 1 rlx ;; ; R x rlx -> a|\t{1}x1\n"}) {
        const program_result r = run(table);
        EXPECT_EQ(r.status, 0) << r.err;
        EXPECT_EQ(r.out, "1 of 1 rows agree\n");
    }
}

}  // namespace
