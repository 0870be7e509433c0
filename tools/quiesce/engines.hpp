// Finding engines and hearing what they offer.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tools/quiesce/engine_process.hpp"
#include "tools/quiesce/protocol.hpp"
#include "tools/quiesce/stop_request.hpp"

namespace quiesce::frontend {

struct engine {
    /// Until the engine has said its name, the end of its file name.
    std::string name;
    std::filesystem::path executable;
    engine_line about;
    std::vector<scenario_line> scenarios;
    std::vector<defect_line> defects;
    std::vector<plan_line> plan;
    /// Why the engine cannot be used, as a sentence without its full stop; empty if it can.
    std::string failure;
    std::string stderr_tail;
};

/// Executables named quiesce-engine-* in the given directory or, without one, in the directories of
/// QUIESCE_ENGINE_PATH or, if that is unset or empty, in this program's own directory. The first of a file name
/// wins. Throws usage_error if a directory does not exist, and if there is no engine.
std::vector<engine> find_engines(const std::optional<std::filesystem::path>& directory);

/// Asks every engine to describe itself. False if the user asked to stop.
bool describe_engines(std::vector<engine>& engines, const process_limits& limits, const stop_request& stop);

/// Nullptr if the engine has no such defect.
const defect_line* find_defect(const engine& e, const std::string& case_name);

/// "engine NAME died of signal 11" and its kin, for an end without a usable answer.
std::string sentence_about(const std::string& engine_name, const process_end& end, const process_limits& limits,
                           bool answered);

}  // namespace quiesce::frontend
