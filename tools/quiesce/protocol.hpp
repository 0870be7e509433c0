// The lines that an engine prints (docs/engine_protocol.md), as values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace quiesce::frontend {

inline constexpr int protocol_version = 1;

/// What a run came to. `interrupted` is the front end's own: no engine says it.
enum class verdict : std::uint8_t {
    exhausted,
    bounded,
    timed_out,
    violated,
    unreached,
    engine_error,
    interrupted,
};

std::string_view name_of(verdict v);

struct engine_line {
    int protocol = 0;
    std::string name;
    std::string version;
    std::vector<std::string> searches;
    /// What `exhausted` means when this engine says it; empty if it means everything.
    std::string scope;
};

struct scenario_line {
    std::string name;
    std::string property;
    std::string contract;
    unsigned threads = 0;
    std::vector<std::string> sizes;
};

struct defect_line {
    std::string name;
    std::string id;
    std::string scenario;
    std::vector<std::string> expect;
    std::string source;
    std::string fault;
};

struct plan_line {
    std::string case_name;
    std::string search;
    std::string size;
    std::uint64_t iterations = 0;
    std::uint64_t seed = 0;
    unsigned bound = 0;
    std::vector<std::string> expect;
    /// Whether the run is made only when it is asked for.
    bool deep = false;
    /// 0 is no limit.
    double seconds = 0;
};

struct progress_line {
    /// How many iterations there may be in all, and the range that it is believed with.
    struct total {
        double estimate = 0;
        double at_least = 0;
        double at_most = 0;
    };

    std::uint64_t iterations = 0;
    double seconds = 0;
    std::optional<total> expected;
};

struct result_line {
    std::string case_name;
    std::string search;
    std::string size;
    verdict what = verdict::engine_error;
    std::string finding;
    std::string message;
    std::uint64_t iterations = 0;
    double seconds = 0;
    std::map<std::string, std::uint64_t> reached;
};

using protocol_line = std::variant<engine_line, scenario_line, defect_line, plan_line, progress_line, result_line>;

/// A line that is not protocol. `what()` completes the sentence "the engine printed ...".
struct protocol_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Throws protocol_error. Keys that this version does not know are ignored, so that engines can say more.
protocol_line parse_line(std::string_view text);

}  // namespace quiesce::frontend
