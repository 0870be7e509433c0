// The driver, and the worker, of a platform for scenarios.
#pragma once

namespace quiesce::models {

/// The scenario's threads play it: they take the steps.
template <class Domain>
class played_driver {
public:
    explicit played_driver(Domain&) noexcept {}
    void ensure_started() noexcept {}
    void stop() noexcept {}
    static constexpr bool absent() noexcept { return false; }
    static constexpr unsigned look_again_ms = 0;
    static constexpr bool is_this_thread() noexcept { return false; }
    void pause_for_fork() noexcept {}
    void resume_in_parent() noexcept {}
    void resume_in_child() noexcept {}
};

}  // namespace quiesce::models
