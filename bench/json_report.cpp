#include <nlohmann/json.hpp>

#include "bench/reports.hpp"

namespace quiesce::bench {

namespace {

using nlohmann::json;

json or_null(std::optional<double> value) {
    return value ? json(*value) : json(nullptr);
}

const char* name_of(side whose) {
    switch (whose) {
        case side::ours: return "ours";
        case side::rival: return "rival";
        case side::floor: return "floor";
    }
    return "";
}

json json_of(const row& r, const table& t) {
    const std::optional<spread> s = spread_of(r.values);
    json j{{"name", r.what.name},
           {"side", name_of(r.what.whose)},
           {"samples", r.values},
           {"processor", r.processor},
           {"median", or_null(r.median())},
           {"min", s ? json(s->min) : json(nullptr)},
           {"max", s ? json(s->max) : json(nullptr)},
           {"ratio", or_null(ratio(r.median(), t.reference()))},
           {"ratio_to_best_rival", or_null(ratio(r.median(), t.best_rival()))},
           {"note", r.note},
           {"failure", r.failure}};
    if (r.what.limit > 0) {
        j["limit"] = r.what.limit;
    }
    return j;
}

}  // namespace

std::string json_of(const options& o, const std::vector<table>& tables) {
    json j{{"version", QUIESCE_VERSION}, {"checked", QUIESCE_CHECKED != 0}, {"repeat", o.repeat},
           {"objects", o.work.objects},  {"sections", o.work.sections},     {"seconds", o.work.seconds},
           {"tables", json::array()},    {"absent", json::array()}};
    for (const table& t : tables) {
        const group_description& about = describe(t.about);
        json rows = json::array();
        for (const row& r : t.rows) {
            rows.push_back(json_of(r, t));
        }
        j["tables"].push_back({{"key", about.key},
                               {"title", about.title},
                               {"unit", about.unit},
                               {"reference", about.reference},
                               {"rows", std::move(rows)}});
    }
    for (const absent_library& a : absent_libraries()) {
        j["absent"].push_back({{"name", a.name}, {"package", a.package}});
    }
    return j.dump(2) + "\n";
}

}  // namespace quiesce::bench
