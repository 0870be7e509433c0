#include "tools/quiesce/json_report.hpp"

#include <nlohmann/json.hpp>

#include "tools/quiesce/table.hpp"

namespace quiesce::frontend {

namespace {

// Keys stay in the order in which a person would read them.
using json = nlohmann::ordered_json;

template <class Value>
json or_null(const std::optional<Value>& value) {
    return value ? json(*value) : json(nullptr);
}

json result_of(const run& r) {
    const outcome& o = r.result;
    return {{"case", r.asked.case_name},
            {"scenario", r.scenario},
            {"defect", r.defect_id},
            {"engine", r.engine},
            {"search", r.asked.search},
            {"size", r.asked.size},
            {"bound", r.asked.bound},
            {"seed", r.asked.seed},
            {"iterations_asked", r.asked.iterations},
            {"iterations", o.iterations},
            {"seconds", o.seconds},
            {"verdict", name_of(o.what)},
            {"finding", o.finding},
            {"message", o.message},
            {"reached", o.reached},
            {"expect", r.asked.expect},
            {"ok", r.as_expected},
            {"engines_disagree", r.engines_disagree},
            {"trace", o.trace_written ? r.trace.filename().string() : ""},
            {"stderr", o.stderr_kept ? r.stderr_tail.filename().string() : ""}};
}

}  // namespace

std::string json_report(const report& r) {
    json engines = json::array();
    for (const engine& e : r.engines) {
        engines.push_back({{"name", e.name}, {"version", e.about.version}});
    }
    json results = json::array();
    for (const run& one : r.runs) {
        results.push_back(result_of(one));
    }
    const tally t = count(r.runs);
    const overrides& o = r.asked.instead_of_plan;
    const json document = {{"quiesce", QUIESCE_VERSION},
                           {"protocol", protocol_version},
                           {"engines", engines},
                           {"names", r.asked.names},
                           {"overrides",
                            {{"scheduler", or_null(o.search)},
                             {"iterations", or_null(o.iterations)},
                             {"time", or_null(o.seconds)},
                             {"seed", or_null(o.seed)}}},
                           {"interrupted", r.interrupted},
                           {"passed", t.passed},
                           {"failed", t.failed},
                           {"not_finished", t.interrupted},
                           {"results", results}};
    // File names and arguments need not be UTF-8; the report must be.
    return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace quiesce::frontend
