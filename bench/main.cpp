// quiesce-bench: quiesce and other libraries, side by side in one run.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>

#include "bench/allocators.hpp"
#include "bench/options.hpp"
#include "bench/reports.hpp"
#include "bench/result.hpp"
#include "bench/sampling.hpp"

namespace quiesce::bench {

namespace {

std::vector<measurement> chosen(const std::string& filter) {
    std::vector<measurement> all = all_measurements();
    std::erase_if(all, [&](const measurement& m) { return key_of(m).find(filter) == std::string::npos; });
    if (all.empty()) {
        throw usage_error(fmt::format("No measurement has '{}' in its name; --list shows them.", filter));
    }
    return all;
}

const measurement& named(const std::vector<measurement>& all, const std::string& key) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const measurement& m) { return key_of(m) == key; });
    if (found == all.end()) {
        throw usage_error(fmt::format("There is no measurement '{}'; --list shows them.", key));
    }
    return *found;
}

void take_sample(row& r, const workload& work) {
    try {
        sample s = sample_in_own_process(r.what, work);
        r.values.push_back(s.value);
        r.processor.push_back(s.processor);
        r.note = std::move(s.note);
    } catch (const sample_failed& e) {
        r.failure = e.what();
    }
}

std::vector<table> tables_of(const std::vector<measurement>& all) {
    std::vector<table> tables;
    for (const measurement& m : all) {
        if (tables.empty() || tables.back().about != m.in) {
            tables.push_back({m.in, {}});
        }
        tables.back().rows.push_back({m, {}, {}, {}, {}});
    }
    return tables;
}

std::ofstream report_file(const std::string& name) {
    std::ofstream file(name);
    if (!file) {
        throw usage_error(fmt::format("The report cannot be written to '{}'.", name));
    }
    return file;
}

int measure(const options& o) {
    std::vector<table> tables = tables_of(chosen(o.filter));
    // Before anything is measured, because minutes later is too late to learn that it cannot be written.
    std::ofstream json;
    if (!o.json.empty()) {
        json = report_file(o.json);
    }
    const auto show = [](const std::string& text) {
        std::fputs(text.c_str(), stdout);
        std::fflush(stdout);
    };
    make_room_for_loaded_allocators();
    show(heading(o));
    bool good = true;
    for (table& t : tables) {
        for (unsigned i = 0; i < o.repeat; ++i) {
            for (row& r : t.rows) {
                take_sample(r, o.work);
            }
        }
        show(text_of(t));
        good = good && std::all_of(t.rows.begin(), t.rows.end(),
                                   [](const row& r) { return r.failure.empty() && !r.over_limit(); });
    }
    show(text_of(absent_libraries()));
    if (json.is_open() && !(json << json_of(o, tables) << std::flush)) {
        throw std::runtime_error(fmt::format("The report could not be written to '{}'.", o.json));
    }
    return good ? 0 : 1;
}

int list(const options& o) {
    for (const measurement& m : chosen(o.filter)) {
        std::puts(key_of(m).c_str());
    }
    return 0;
}

int run(const options& o) {
    switch (o.what) {
        case action::nothing: return 0;
        case action::list: return list(o);
        case action::one_sample: return print_sample(named(all_measurements(), o.sample), o.work);
        case action::measure: return measure(o);
    }
    return 2;
}

}  // namespace

}  // namespace quiesce::bench

int main(int argc, char** argv) {
    try {
        return quiesce::bench::run(quiesce::bench::parse_options(argc, argv));
    } catch (const quiesce::bench::usage_error& e) {
        std::fprintf(stderr, "quiesce-bench: %s\n", e.what());
        return 2;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "quiesce-bench: %s\n", e.what());
        return 1;
    }
}
