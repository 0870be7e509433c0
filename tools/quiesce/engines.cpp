#include "tools/quiesce/engines.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <system_error>
#include <utility>

#include "tools/quiesce/text.hpp"
#include "tools/quiesce/usage_error.hpp"

namespace quiesce::frontend {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "quiesce-engine-";

std::vector<fs::path> engine_directories(const std::optional<fs::path>& chosen) {
    if (chosen) {
        return {*chosen};
    }
    const char* path = std::getenv("QUIESCE_ENGINE_PATH");
    if (path == nullptr || *path == '\0') {
        std::error_code error;
        return {fs::read_symlink("/proc/self/exe", error).parent_path()};
    }
    std::vector<fs::path> result;
    std::string_view rest = path;
    while (!rest.empty()) {
        const std::size_t colon = std::min(rest.find(':'), rest.size());
        if (colon > 0) {
            result.emplace_back(rest.substr(0, colon));
        }
        rest.remove_prefix(std::min(colon + 1, rest.size()));
    }
    return result;
}

template <class Line>
bool names_include(const std::vector<Line>& lines, const std::string& name) {
    return std::any_of(lines.begin(), lines.end(), [&](const Line& l) { return l.name == name; });
}

struct listener {
    engine& to;
    bool named = false;

    void operator()(engine_line&& l) {
        if (named) {
            throw protocol_error("a second engine line");
        }
        if (l.protocol != protocol_version) {
            throw protocol_error(
                fmt::format("protocol version {}, where {} is understood", l.protocol, protocol_version));
        }
        named = true;
        to.name = l.name;
        to.about = std::move(l);
    }
    void operator()(scenario_line&& l) { add(to.scenarios, std::move(l)); }
    void operator()(defect_line&& l) { add(to.defects, std::move(l)); }
    void operator()(plan_line&& l) { to.plan.push_back(std::move(l)); }
    void operator()(progress_line&&) { throw protocol_error("progress while describing itself"); }
    void operator()(result_line&&) { throw protocol_error("a result while describing itself"); }

private:
    template <class Line>
    void add(std::vector<Line>& lines, Line&& l) {
        // A name that means two things would let one of them go unchecked.
        if (names_include(to.scenarios, l.name) || names_include(to.defects, l.name)) {
            throw protocol_error(fmt::format("the name '{}' twice", excerpt_of(l.name)));
        }
        lines.push_back(std::forward<Line>(l));
    }
    static std::string_view excerpt_of(std::string_view name) { return name.substr(0, 100); }
};

// What no single line can be blamed for.
std::string inconsistency(const engine& e) {
    if (e.about.name.empty()) {
        return fmt::format("engine {} did not say who it is", e.name);
    }
    for (const defect_line& d : e.defects) {
        if (!names_include(e.scenarios, d.scenario)) {
            return fmt::format("engine {} has a defect of the unknown scenario '{}'", e.name, d.scenario);
        }
    }
    for (const plan_line& p : e.plan) {
        if (!names_include(e.scenarios, p.case_name) && !names_include(e.defects, p.case_name)) {
            return fmt::format("engine {} plans the unknown case '{}'", e.name, p.case_name);
        }
        const std::vector<std::string>& searches = e.about.searches;
        if (std::find(searches.begin(), searches.end(), p.search) == searches.end()) {
            return fmt::format("engine {} plans the unknown search '{}'", e.name, p.search);
        }
    }
    return "";
}

}  // namespace

std::vector<engine> find_engines(const std::optional<fs::path>& chosen) {
    const std::vector<fs::path> directories = engine_directories(chosen);
    std::vector<engine> engines;
    std::set<std::string> seen;
    for (const fs::path& directory : directories) {
        std::vector<engine> here;
        std::error_code error;
        // What was asked for must not be left unchecked because of a slip of the pen.
        if (!fs::is_directory(directory, error)) {
            throw usage_error(fmt::format("'{}', where engines are to be, is not a directory.", directory.string()));
        }
        for (fs::directory_iterator entry(directory, error), last; !error && entry != last; entry.increment(error)) {
            const std::string file = entry->path().filename().string();
            std::error_code unreadable;
            if (file.starts_with(prefix) && file.size() > prefix.size() && entry->is_regular_file(unreadable) &&
                access(entry->path().c_str(), X_OK) == 0 && seen.insert(file).second) {
                engine& e = here.emplace_back();
                e.name = file.substr(prefix.size());
                e.executable = fs::absolute(entry->path());
            }
        }
        std::sort(here.begin(), here.end(), [](const engine& a, const engine& b) { return a.name < b.name; });
        std::move(here.begin(), here.end(), std::back_inserter(engines));
    }
    if (engines.empty()) {
        std::vector<std::string> places;
        places.reserve(directories.size());
        for (const fs::path& directory : directories) {
            places.push_back("'" + directory.string() + "'");
        }
        throw usage_error(fmt::format(
            "no engine was found in {}; engines are executables named quiesce-engine-*, and --engine-dir says where.",
            joined(places, ", ")));
    }
    return engines;
}

bool describe_engines(std::vector<engine>& engines, const process_limits& limits, const stop_request& stop) {
    std::vector<listener> listeners;
    listeners.reserve(engines.size());
    for (engine& e : engines) {
        listeners.push_back({e});
    }
    std::vector<process_task> tasks;
    tasks.reserve(engines.size());
    for (std::size_t i = 0; i < engines.size(); ++i) {
        tasks.push_back({{engines[i].executable.string(), "--describe"},
                         [] {},
                         [&l = listeners[i]](std::string_view line) { std::visit(l, parse_line(line)); },
                         [&e = engines[i], &limits](const process_end& end) {
                             if (end.how != ending::exited || end.code != 0 || end.unfinished_line) {
                                 e.failure = sentence_about(e.name, end, limits, false);
                             } else {
                                 e.failure = inconsistency(e);
                             }
                             e.stderr_tail = end.stderr_tail;
                         }});
    }
    if (!run_processes(tasks, limits, stop, [] {})) {
        return false;
    }
    std::set<std::string> names;
    for (engine& e : engines) {
        if (e.failure.empty() && !names.insert(e.name).second) {
            e.failure = fmt::format("engine {} exists twice, the second time as '{}'", e.name,
                                    e.executable.filename().string());
        }
    }
    return true;
}

const defect_line* find_defect(const engine& e, const std::string& case_name) {
    const auto found =
        std::find_if(e.defects.begin(), e.defects.end(), [&](const defect_line& d) { return d.name == case_name; });
    return found == e.defects.end() ? nullptr : &*found;
}

std::string sentence_about(const std::string& engine_name, const process_end& end, const process_limits& limits,
                           bool answered) {
    const std::string_view after = answered ? " after its result" : "";
    switch (end.how) {
        case ending::exited:
            if (end.unfinished_line) {
                return fmt::format("engine {} ended in the middle of a line, with status {}", engine_name, end.code);
            }
            return fmt::format("engine {} exited with status {}{}", engine_name, end.code,
                               answered ? after : " without a result");
        case ending::signalled: return fmt::format("engine {} died of signal {}{}", engine_name, end.code, after);
        case ending::silent:
            return fmt::format("engine {} was silent for {} seconds{} and was stopped", engine_name,
                               limits.silence_seconds, after);
        case ending::rejected: return fmt::format("engine {} printed {}{}", engine_name, end.why, after);
        case ending::not_started: return fmt::format("engine {} could not be started: {}", engine_name, end.why);
        case ending::stopped: return fmt::format("engine {} was stopped", engine_name);
    }
    return "";
}

}  // namespace quiesce::frontend
