// Child processes that print lines: starting, watching, stopping. Nothing here knows what the lines mean.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/quiesce/stop_request.hpp"

namespace quiesce::frontend {

enum class ending : std::uint8_t {
    exited,       ///< code: exit status
    signalled,    ///< code: signal
    silent,       ///< stopped after printing no line for too long
    rejected,     ///< stopped because a line was refused; why: the sentence's end
    not_started,  ///< why: the system's reason
    stopped,      ///< stopped because the user asked
};

struct process_end {
    ending how = ending::exited;
    int code = 0;
    std::string why;
    /// The output ended without a newline.
    bool unfinished_line = false;
    std::string stderr_tail;
};

struct process_task {
    std::vector<std::string> command;
    std::function<void()> on_start;
    /// Throwing protocol_error rejects the process.
    std::function<void(std::string_view)> on_line;
    std::function<void(const process_end&)> on_end;
};

struct process_limits {
    unsigned at_once = 1;
    double silence_seconds = 120;
};

/// Runs the tasks in order, so many at once. Each process leads a process group of its own, which is killed as soon
/// as its leader has ended, and dies with this process. False if the user asked to stop: running processes have then
/// ended as `stopped`, and the rest was never started. `on_tick` is called several times a second.
bool run_processes(const std::vector<process_task>& tasks, const process_limits& limits, const stop_request& stop,
                   const std::function<void()>& on_tick);

}  // namespace quiesce::frontend
