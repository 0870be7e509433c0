// What the processor refuses, as violations of the program.
#pragma once

#include <csignal>
#include <cstddef>
#include <ctime>
#include <memory>

namespace quiesce::explorer::detail {

/// While it lives, the engine is asked from time to time whether the program runs on without an operation. What counts
/// is the processor time of the calling thread, so not that the process is stopped or others are served first.
class idle_timer {
public:
    static constexpr int signal = SIGVTALRM;

    /// 0 is never.
    explicit idle_timer(double seconds);
    ~idle_timer();
    idle_timer(const idle_timer&) = delete;
    idle_timer& operator=(const idle_timer&) = delete;

private:
    timer_t timer_ = {};
    bool is_set_ = false;
};

/// While one lives, signals that an explored program causes on its fibers go to the engine; others are as before.
/// Several threads may have one each.
class fault_handlers {
public:
    fault_handlers();
    ~fault_handlers();
    fault_handlers(const fault_handlers&) = delete;
    fault_handlers& operator=(const fault_handlers&) = delete;

    static constexpr int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, idle_timer::signal};

private:
    static constexpr std::size_t stack_bytes = 64 * std::size_t{1024};

    stack_t stack_before_ = {};
    // The handler's own: the program's may be used up.
    std::unique_ptr<char[]> stack_;
};

/// While it lives nobody else changes the handlers, so that a child that is forked finds them free.
class fork_guard {
public:
    fork_guard();
    ~fork_guard();
    fork_guard(const fork_guard&) = delete;
    fork_guard& operator=(const fork_guard&) = delete;

    static void in_child();
};

}  // namespace quiesce::explorer::detail
