#include "tools/quiesce/protocol.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "tools/quiesce/text.hpp"

namespace quiesce::frontend {

namespace {

using nlohmann::json;

constexpr std::array engine_verdicts{verdict::exhausted, verdict::bounded,   verdict::timed_out,
                                     verdict::violated,  verdict::unreached, verdict::engine_error};

const json& member(const json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end()) {
        throw protocol_error(std::string("a line without '") + key + "'");
    }
    return *found;
}

[[noreturn]] void wrong_type(const char* key) {
    throw protocol_error(std::string("a line whose '") + key + "' has an impossible value");
}

std::string text_member(const json& object, const char* key) {
    const json& value = member(object, key);
    if (!value.is_string()) {
        wrong_type(key);
    }
    return value.get<std::string>();
}

std::string name_member(const json& object, const char* key) {
    std::string value = text_member(object, key);
    if (value.empty()) {
        wrong_type(key);
    }
    return value;
}

// The JSON library converts out-of-range and negative numbers silently; a wrapped count would look like a result.
template <class Number>
Number count_member(const json& object, const char* key) {
    static_assert(std::is_integral_v<Number>);
    const json& value = member(object, key);
    if (!value.is_number_unsigned()) {
        wrong_type(key);
    }
    const auto count = value.get<std::uint64_t>();
    if (count > static_cast<std::uint64_t>(std::numeric_limits<Number>::max())) {
        wrong_type(key);
    }
    return static_cast<Number>(count);
}

double amount_member(const json& object, const char* key) {
    const json& value = member(object, key);
    if (!value.is_number()) {
        wrong_type(key);
    }
    const auto amount = value.get<double>();
    if (!std::isfinite(amount) || amount < 0) {
        wrong_type(key);
    }
    return amount;
}

std::vector<std::string> names_member(const json& object, const char* key) {
    const json& value = member(object, key);
    if (!value.is_array() || value.empty()) {
        wrong_type(key);
    }
    std::vector<std::string> names;
    for (const json& name : value) {
        if (!name.is_string() || name.get_ref<const std::string&>().empty()) {
            wrong_type(key);
        }
        names.push_back(name.get<std::string>());
    }
    return names;
}

verdict verdict_member(const json& object, const char* key) {
    const std::string name = text_member(object, key);
    for (const verdict v : engine_verdicts) {
        if (name_of(v) == name) {
            return v;
        }
    }
    wrong_type(key);
}

progress_line parse_progress(const json& object) {
    progress_line p{count_member<std::uint64_t>(object, "iterations"), amount_member(object, "seconds"), {}};
    if (object.contains("estimate")) {
        p.expected = {amount_member(object, "estimate"), amount_member(object, "at_least"),
                      amount_member(object, "at_most")};
    }
    return p;
}

result_line parse_result(const json& object) {
    result_line r;
    r.case_name = name_member(object, "case");
    r.search = name_member(object, "search");
    r.size = name_member(object, "size");
    r.what = verdict_member(object, "verdict");
    r.finding = text_member(object, "finding");
    if (r.finding.empty() == (r.what == verdict::violated)) {
        throw protocol_error("a result whose 'finding' does not go with its 'verdict'");
    }
    r.message = text_member(object, "message");
    r.iterations = count_member<std::uint64_t>(object, "iterations");
    r.seconds = amount_member(object, "seconds");
    const json& reached = member(object, "reached");
    if (!reached.is_object()) {
        wrong_type("reached");
    }
    for (const auto& label : reached.items()) {
        r.reached[label.key()] = count_member<std::uint64_t>(reached, label.key().c_str());
    }
    return r;
}

plan_line parse_plan(const json& object) {
    plan_line p{name_member(object, "case"),
                name_member(object, "search"),
                name_member(object, "size"),
                count_member<std::uint64_t>(object, "iterations"),
                count_member<std::uint64_t>(object, "seed"),
                count_member<unsigned>(object, "bound"),
                names_member(object, "expect")};
    if (p.iterations == 0) {
        wrong_type("iterations");
    }
    if (object.contains("label")) {
        p.deep = text_member(object, "label") == "deep";
        if (!p.deep) {
            wrong_type("label");
        }
    }
    if (object.contains("seconds")) {
        p.seconds = amount_member(object, "seconds");
    }
    return p;
}

}  // namespace

std::string_view name_of(verdict v) {
    switch (v) {
        case verdict::exhausted: return "exhausted";
        case verdict::bounded: return "bounded";
        case verdict::timed_out: return "timed_out";
        case verdict::violated: return "violated";
        case verdict::unreached: return "unreached";
        case verdict::engine_error: return "engine_error";
        case verdict::interrupted: return "interrupted";
    }
    return "";
}

protocol_line parse_line(std::string_view text) {
    const json object = json::parse(text, nullptr, false);
    if (!object.is_object()) {
        throw protocol_error("a line that is not a JSON object: '" + excerpt(text) + "'");
    }
    const std::string type = text_member(object, "type");
    if (type == "engine") {
        return engine_line{count_member<int>(object, "protocol"), name_member(object, "name"),
                           text_member(object, "version"), names_member(object, "searches"),
                           object.contains("scope") ? name_member(object, "scope") : ""};
    }
    if (type == "scenario") {
        return scenario_line{name_member(object, "name"), text_member(object, "property"),
                             text_member(object, "contract"), count_member<unsigned>(object, "threads"),
                             names_member(object, "sizes")};
    }
    if (type == "defect") {
        return defect_line{name_member(object, "name"),     text_member(object, "id"),
                           name_member(object, "scenario"), names_member(object, "expect"),
                           text_member(object, "source"),   text_member(object, "fault")};
    }
    if (type == "plan") {
        return parse_plan(object);
    }
    if (type == "progress") {
        return parse_progress(object);
    }
    if (type == "result") {
        return parse_result(object);
    }
    throw protocol_error("a line of unknown type '" + excerpt(type) + "'");
}

}  // namespace quiesce::frontend
