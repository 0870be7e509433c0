#include "tools/quiesce/junit_report.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tools/quiesce/table.hpp"
#include "tools/quiesce/text.hpp"

namespace quiesce::frontend {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

// The JSON library's writer replaces ill-formed UTF-8; borrowing it avoids a second decoder.
std::string well_formed_utf8(std::string_view text) {
    const nlohmann::json value = std::string(text);
    return nlohmann::json::parse(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace))
        .get<std::string>();
}

std::string test_case(const run& r) {
    const outcome& o = r.result;
    std::string text = fmt::format(R"(  <testcase classname="{}" name="{}" time="{:.3f}")", xml_escape(r.engine),
                                   xml_escape(fmt::format("{} [{}]", r.asked.case_name, search_of(r))), o.seconds);
    if (r.as_expected) {
        return text + "/>\n";
    }
    const std::string_view element = o.what == verdict::interrupted    ? "skipped"
                                     : o.what == verdict::engine_error ? "error"
                                                                       : "failure";
    text += fmt::format(R"(>
    <{} message="{}")",
                        element, xml_escape(verdict_of(r)));
    if (o.what == verdict::interrupted) {
        return text + "/>\n  </testcase>\n";
    }
    std::string details = fmt::format("expected: {}\n{}\n", joined(r.asked.expect, " or "), o.message);
    if (o.trace_written) {
        details += fmt::format("trace: {}\n", r.trace.string());
    }
    if (o.stderr_kept) {
        details += fmt::format("stderr: {}\n", r.stderr_tail.string());
    }
    return text + fmt::format(R"( type="{}">{}</{}>
  </testcase>
)",
                              name_of(o.what), xml_escape(details), element);
}

}  // namespace

std::string xml_escape(std::string_view text) {
    std::string result;
    for (const char c : well_formed_utf8(text)) {
        switch (c) {
            case '&': result += "&amp;"; break;
            case '<': result += "&lt;"; break;
            case '>': result += "&gt;"; break;
            case '"': result += "&quot;"; break;
            case '\'': result += "&apos;"; break;
            // Literal ones would be read back as blanks in an attribute.
            case '\n': result += "&#10;"; break;
            case '\t': result += "&#9;"; break;
            case '\r': result += "&#13;"; break;
            default:
                if (static_cast<unsigned char>(c) < 0x20) {
                    result += replacement;
                } else {
                    result += c;
                }
        }
    }
    return result;
}

std::string junit_report(const report& r) {
    const tally t = count(r.runs);
    std::size_t errors = 0;
    double seconds = 0;
    std::string cases;
    for (const run& one : r.runs) {
        errors += one.result.what == verdict::engine_error ? 1 : 0;
        seconds += one.result.seconds;
        cases += test_case(one);
    }
    return fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuite name=\"quiesce\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{:.3f}\">\n"
        "{}</testsuite>\n",
        r.runs.size(), t.failed - errors, errors, t.interrupted, seconds, cases);
}

}  // namespace quiesce::frontend
