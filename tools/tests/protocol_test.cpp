#include "tools/quiesce/protocol.hpp"

#include <gtest/gtest.h>

namespace {

using namespace quiesce::frontend;

const std::string good_result =
    R"({"type":"result","case":"c","scenario":"s","defect":"","search":"full","size":"1","seed":0,)"
    R"("verdict":"violated","finding":"leak","message":"m","iterations":5,"seconds":0.4,"reached":{"a":2},"trace":""})";

std::string with(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

TEST(protocol, reads_a_result) {
    const auto r = std::get<result_line>(parse_line(good_result));
    EXPECT_EQ(r.case_name, "c");
    EXPECT_EQ(r.what, verdict::violated);
    EXPECT_EQ(r.finding, "leak");
    EXPECT_EQ(r.iterations, 5U);
    EXPECT_EQ(r.reached.at("a"), 2U);
}

TEST(protocol, ignores_keys_that_it_does_not_know) {
    EXPECT_NO_THROW(parse_line(with(good_result, R"("seed":0)", R"("seed":0,"new":[1])")));
}

TEST(protocol, refuses_a_finding_that_does_not_go_with_the_verdict) {
    EXPECT_THROW(parse_line(with(good_result, "violated", "exhausted")), protocol_error);
    EXPECT_THROW(parse_line(with(good_result, R"("leak")", R"("")")), protocol_error);
}

TEST(protocol, refuses_what_would_be_read_as_another_value) {
    EXPECT_THROW(parse_line(with(good_result, R"("iterations":5)", R"("iterations":-5)")), protocol_error);
    EXPECT_THROW(parse_line(with(good_result, R"("iterations":5)", R"("iterations":5.5)")), protocol_error);
    EXPECT_THROW(parse_line(with(good_result, R"("seconds":0.4)", R"("seconds":"0.4")")), protocol_error);
    EXPECT_THROW(parse_line(with(good_result, "violated", "proved")), protocol_error);
    EXPECT_THROW(parse_line(with(good_result, "violated", "interrupted")), protocol_error);
    EXPECT_THROW(parse_line(with(good_result, R"("verdict":"violated",)", "")), protocol_error);
}

const std::string good_plan =
    R"({"type":"plan","case":"c","search":"full","size":"1","iterations":5,"seed":0,"bound":0,"expect":["exhausted"]})";

TEST(protocol, reads_a_plan_with_a_label_and_a_limit_and_without) {
    const auto plain = std::get<plan_line>(parse_line(good_plan));
    EXPECT_FALSE(plain.deep);
    EXPECT_EQ(plain.seconds, 0);
    const auto deep =
        std::get<plan_line>(parse_line(with(good_plan, R"("seed":0)", R"("seed":0,"label":"deep","seconds":1.5)")));
    EXPECT_TRUE(deep.deep);
    EXPECT_EQ(deep.seconds, 1.5);
}

TEST(protocol, refuses_a_plan_with_a_label_that_it_does_not_know) {
    EXPECT_THROW(parse_line(with(good_plan, R"("seed":0)", R"("seed":0,"label":"shallow")")), protocol_error);
    EXPECT_THROW(parse_line(with(good_plan, R"("seed":0)", R"("seed":0,"seconds":-1)")), protocol_error);
}

TEST(protocol, takes_an_estimate_with_its_range_or_none) {
    const auto progress = [](const std::string& more) {
        return std::get<progress_line>(parse_line(R"({"type":"progress","iterations":7,"seconds":0.5)" + more + "}"));
    };
    EXPECT_FALSE(progress("").expected);
    const progress_line p = progress(R"(,"estimate":90,"at_least":20,"at_most":400)");
    ASSERT_TRUE(p.expected);
    EXPECT_EQ(p.expected->estimate, 90);
    EXPECT_EQ(p.expected->at_least, 20);
    EXPECT_EQ(p.expected->at_most, 400);
    EXPECT_THROW(progress(R"(,"estimate":90)"), protocol_error);
    EXPECT_THROW(progress(R"(,"estimate":-1,"at_least":20,"at_most":400)"), protocol_error);
}

TEST(protocol, refuses_what_is_no_line_of_it) {
    for (const char* text : {"", "{", "[]", "7", "{}", R"({"type":"news"})", R"({"type":7})", "{\"type\":\"\xff\"}"}) {
        EXPECT_THROW(parse_line(text), protocol_error) << text;
    }
}

}  // namespace
