// One run of one case by one engine: what was asked, what is accepted, what came of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "tools/quiesce/protocol.hpp"

namespace quiesce::frontend {

struct outcome {
    verdict what = verdict::interrupted;
    std::string finding;
    std::string message;
    std::uint64_t iterations = 0;
    double seconds = 0;
    std::map<std::string, std::uint64_t> reached;
    bool trace_written = false;
    bool stderr_kept = false;
};

struct run {
    std::string engine;
    std::filesystem::path executable;
    /// The engine's scope, in the sense of engine_line.
    std::string scope;
    /// As asked for; `expect` holds every accepted finding or verdict.
    plan_line asked;
    std::string scenario;
    /// Empty for a correct case (whose name is its scenario's) and for a defect without an id.
    std::string defect_id;
    std::filesystem::path trace;
    std::filesystem::path stderr_tail;
    outcome result;
    bool as_expected = false;
    bool engines_disagree = false;
};

}  // namespace quiesce::frontend
