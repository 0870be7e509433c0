// `quiesce defects`: the table, and what it is compared with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "tools/tests/front_end.hpp"

namespace {

using namespace quiesce::frontend::tests;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string begin = "<!-- begin of what `quiesce defects` writes -->\n";
const std::string end = "<!-- end of what `quiesce defects` writes -->\n";

program_result defects(const front_end& f, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"defects", "--out", f.out().string()});
    return f.run(arguments);
}

std::string document(const front_end& f, const std::string& text) {
    const std::string name = (f.directory() / "document.md").string();
    std::ofstream(name) << text;
    return name;
}

TEST(defects, prints_what_each_engine_finds_of_each_defect_that_has_an_id) {
    const program_result r = defects(front_end({"scripted", "other"}), {});
    EXPECT_THAT(r.out, HasSubstr("| id | defect | source | other | scripted |\n"));
    EXPECT_THAT(r.line_of("| D1 "), HasSubstr("`exhausts__caught`: It is caught. | nobody, nothing, 2000 | data_race "
                                              "after 123 (0.5 s) | data_race after 123 (0.5 s) |"));
    EXPECT_THAT(r.line_of("| D0 "), HasSubstr("| only with `--deep` | only with `--deep` |"));
    EXPECT_LT(r.out.find("| D0 "), r.out.find("| D1 "));
}

TEST(defects, exits_with_1_if_an_engine_misses_one) {
    const program_result r = defects(front_end(), {});
    EXPECT_EQ(r.status, 1);
    EXPECT_THAT(r.line_of("| D2 "), HasSubstr("| exhausted after 123 (0.5 s) |"));
}

TEST(defects, without_an_id_are_listed_if_a_sequentially_consistent_machine_does_not_show_them) {
    const program_result r = defects(front_end({"sequential"}), {});
    EXPECT_THAT(r.out, HasSubstr("| sequential | sequential, sequentially consistent |\n"));
    EXPECT_THAT(r.line_of("| `weakened__only_in_weak_memory"),
                HasSubstr("| data_race after 123 (0.5 s) | exhausted after 123 (0.5 s) |"));
    EXPECT_THAT(r.out, AllOf(HasSubstr("Of the other defects, 3 in number, these 1 are"),
                             Not(HasSubstr("weakened__everywhere"))));
}

TEST(defects, are_compared_but_for_the_times) {
    const front_end f({"sequential"});
    const program_result printed = defects(f, {});
    EXPECT_EQ(printed.status, 0);
    const std::string& table = printed.out;
    std::string slower = table;
    for (std::size_t at = 0; (at = slower.find("0.5 s", at)) != std::string::npos; ++at) {
        slower.replace(at, 3, "12.7");
    }
    const program_result same = defects(f, {"--compare", document(f, "above\n" + begin + slower + end + "below\n")});
    EXPECT_EQ(same.out, "");
    EXPECT_EQ(same.status, 0);
    std::string other = table;
    other.replace(other.find("after 123"), 9, "after 124");
    const program_result differs = defects(f, {"--compare", document(f, begin + other + end)});
    EXPECT_EQ(differs.status, 1);
    EXPECT_THAT(differs.out, AllOf(HasSubstr("has another table"), HasSubstr("after 123"), HasSubstr("after 124")));
    EXPECT_EQ(std::count(differs.out.begin(), differs.out.end(), '\n'), 3) << differs.out;
}

TEST(defects, are_compared_in_their_order_and_number) {
    const front_end f({"sequential"});
    const program_result printed = defects(f, {});
    const std::string first = printed.line_of("| D0 ") + "\n";
    const std::string second = printed.line_of("| D1 ") + "\n";
    const std::string both = first + second;
    const std::size_t at = printed.out.find(both);
    ASSERT_NE(at, std::string::npos) << printed.out;
    for (const std::string& rows : {second + first, both + second}) {
        std::string other = printed.out;
        other.replace(at, both.size(), rows);
        other.insert(0, begin).append(end);
        const program_result differs = defects(f, {"--compare", document(f, other)});
        EXPECT_EQ(differs.status, 1);
        EXPECT_THAT(differs.out, HasSubstr("The lines are the same, and their order is not."));
    }
}

TEST(defects, are_written_where_the_document_has_a_place_for_them) {
    const front_end f({"sequential"});
    const std::string name = document(f, "above\n" + begin + "old\n" + end + "below\n");
    const std::string table = defects(f, {}).out;
    defects(f, {"--update", name});
    EXPECT_EQ(contents(name), "above\n" + begin + table + end + "below\n");
}

TEST(defects, refuses_a_document_that_has_no_place_for_them_before_any_run) {
    const front_end f;
    for (const std::string& text : {std::string("no marks\n"), begin, end + begin}) {
        const program_result r = defects(f, {"--update", document(f, text)});
        EXPECT_EQ(r.status, 2);
        EXPECT_THAT(r.err, AllOf(StartsWith("quiesce: "), HasSubstr("has no place for a table of defects")));
        EXPECT_EQ(contents(f.directory() / "document.md"), text);
    }
    EXPECT_EQ(defects(f, {"--compare", "/nowhere/document.md"}).status, 2);
    EXPECT_EQ(defects(f, {"--compare", "a", "--update", "b"}).status, 2);
}

TEST(defects, of_an_engine_that_cannot_be_asked_are_no_table) {
    const front_end f({"scripted", "broken"});
    const program_result r = defects(f, {});
    EXPECT_EQ(r.status, 2);
    EXPECT_EQ(r.out, "");
    EXPECT_THAT(r.err, HasSubstr("broken"));
}

}  // namespace
