// The reports of the real program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tools/quiesce/junit_report.hpp"
#include "tools/quiesce/table.hpp"
#include "tools/tests/front_end.hpp"

namespace {

using namespace quiesce::frontend;
using namespace quiesce::frontend::tests;
using testing::HasSubstr;
using testing::Not;

// Enough of XML to notice unbalanced elements, stray '<' and '&', and characters that it cannot carry.
std::string fault_in_xml(const std::string& text) {
    std::vector<std::string> open;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '&') {
            const std::string entity = text.substr(i, text.find(';', i) - i + 1);
            static const std::vector<std::string> known{"&amp;",  "&lt;",  "&gt;", "&quot;",
                                                        "&apos;", "&#10;", "&#9;", "&#13;"};
            if (std::find(known.begin(), known.end(), entity) == known.end()) {
                return "entity " + entity;
            }
        } else if (c == '<') {
            const std::size_t end = text.find('>', i);
            const std::string tag = text.substr(i + 1, end - i - 1);
            if (tag.find('<') != std::string::npos || std::count(tag.begin(), tag.end(), '"') % 2 != 0) {
                return "tag " + tag;
            }
            const std::string name = tag.substr(0, tag.find(' '));
            if (name.starts_with('/')) {
                if (open.empty() || open.back() != name.substr(1)) {
                    return "end of " + name;
                }
                open.pop_back();
            } else if (!tag.ends_with('/') && !tag.starts_with('?')) {
                open.push_back(name);
            }
            i = end;
        } else if (c == '>') {
            return "stray >";
        } else if (static_cast<unsigned char>(c) < 0x20 && c != '\n') {
            return "control character";
        }
    }
    return open.empty() ? "" : "open " + open.back();
}

TEST(xml_escape, leaves_nothing_that_xml_would_read_as_markup) {
    EXPECT_EQ(xml_escape("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&apos;");
    EXPECT_EQ(xml_escape("line\nline\t."), "line&#10;line&#9;.");
    EXPECT_EQ(xml_escape("\x01"), "\xef\xbf\xbd");
    EXPECT_EQ(xml_escape("\xff"), "\xef\xbf\xbd");
    EXPECT_EQ(xml_escape("\xc3\xa9"), "\xc3\xa9");
}

TEST(junit, is_well_formed_and_counts_what_went_wrong) {
    const front_end f;
    const std::string file = (f.directory() / "junit.xml").string();
    EXPECT_EQ(f.check({"violates", "crashes", "prints_garbage", "bounds", "--junit", file}).status, 1);
    const std::string text = contents(file);
    EXPECT_EQ(fault_in_xml(text), "") << text;
    EXPECT_THAT(text, HasSubstr(R"(tests="4" failures="1" errors="2" skipped="0")"));
    EXPECT_THAT(text, HasSubstr("a &lt; b &amp;&amp; c &gt; &quot;d&quot;"));
    EXPECT_THAT(text, HasSubstr(R"(<testcase classname="scripted" name="bounds [bound 3, size 1]")"));
}

TEST(junit, checker_of_this_test_notices_faults) {
    EXPECT_NE(fault_in_xml("<a>"), "");
    EXPECT_NE(fault_in_xml("<a></b>"), "");
    EXPECT_NE(fault_in_xml("<a>x & y</a>"), "");
    EXPECT_NE(fault_in_xml("<a>x > y</a>"), "");
    EXPECT_NE(fault_in_xml("<a>\x01</a>"), "");
    EXPECT_EQ(fault_in_xml("<a b=\"c\"><d/></a>"), "");
}

TEST(json, has_every_run_with_its_expectation_and_whether_it_was_met) {
    const front_end f({"scripted", "broken"});
    const std::string file = (f.directory() / "report.json").string();
    EXPECT_EQ(f.check({"exhausts", "prints_garbage", "--json", file}).status, 1);
    const std::string text = contents(file);
    const auto report = nlohmann::json::parse(text);
    EXPECT_EQ(report.at("protocol"), 1);
    EXPECT_EQ(report.at("interrupted"), false);
    EXPECT_EQ(report.at("passed"), 2);
    EXPECT_EQ(report.at("failed"), 3);
    const auto& results = report.at("results");
    ASSERT_EQ(results.size(), 5U);
    const auto caught =
        std::find_if(results.begin(), results.end(), [](const auto& r) { return r.at("case") == "exhausts__caught"; });
    ASSERT_NE(caught, results.end());
    EXPECT_EQ(caught->at("scenario"), "exhausts");
    EXPECT_EQ(caught->at("defect"), "D1");
    EXPECT_EQ(caught->at("verdict"), "violated");
    EXPECT_EQ(caught->at("finding"), "data_race");
    EXPECT_EQ(caught->at("expect"), nlohmann::json({"data_race"}));
    EXPECT_EQ(caught->at("ok"), true);
    EXPECT_EQ(caught->at("trace"), "exhausts__caught.scripted.full.1.trace.txt");
    EXPECT_EQ(caught->at("reached").at("label"), 12);
    EXPECT_EQ(caught->at("iterations"), 123);
    EXPECT_THAT(text, Not(HasSubstr(f.directory().string()))) << "a report says nothing about the machine";
}

TEST(table, aligns_its_columns) {
    EXPECT_EQ(aligned({{"a", "b", "c"}, {"long", "", "d"}}), "a     b  c\nlong     d\n");
}

}  // namespace
