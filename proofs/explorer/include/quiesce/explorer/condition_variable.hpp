// As <condition_variable>.
#pragma once

#include <cstdint>

#include <quiesce/explorer/mutex.hpp>

namespace quiesce::explorer {

enum class cv_status : std::uint8_t { no_timeout, timeout };

/// As std::condition_variable, and std::condition_variable_any: any lock that has `lock` and `unlock`. Of the threads
/// that wait, notify_one wakes any one: each is explored. Wake-ups that nobody asked for happen as often as
/// `options::spurious_returns` says. Notifying orders nothing, as in the standard: the mutex does.
class condition_variable {
public:
    condition_variable() = default;
    condition_variable(const condition_variable&) = delete;
    condition_variable& operator=(const condition_variable&) = delete;

    template <class Lock>
    void wait(Lock& lock, detail::place at = detail::place::current()) {
        if (detail::returns_spuriously(at)) {
            pass_through(lock, at);
        } else {
            sleep(lock, false, at);
        }
    }
    template <class Lock, class Predicate>
    void wait(Lock& lock, Predicate satisfied,
              detail::place at = detail::place::current()) requires std::is_invocable_r_v<bool, Predicate&> {
        while (!satisfied()) {
            wait(lock, at);
        }
    }
    /// The time may be over, as often as `options::spurious_returns` says, also when a notification was taken. To wait
    /// here for ever is no deadlock.
    template <class Lock, class Duration>
    cv_status wait_for(Lock& lock, const Duration&, detail::place at = detail::place::current()) {
        if (detail::returns_spuriously(at)) {
            pass_through(lock, at);
            return cv_status::timeout;
        }
        sleep(lock, true, at);
        return detail::returns_spuriously(at) ? cv_status::timeout : cv_status::no_timeout;
    }
    template <class Lock, class Duration, class Predicate>
    bool wait_for(Lock& lock, const Duration& time, Predicate satisfied,
                  detail::place at = detail::place::current()) requires std::is_invocable_r_v<bool, Predicate&> {
        while (!satisfied()) {
            if (wait_for(lock, time, at) == cv_status::timeout) {
                return satisfied();
            }
        }
        return true;
    }
    template <class Lock, class Time>
    cv_status wait_until(Lock& lock, const Time& time, detail::place at = detail::place::current()) {
        return wait_for(lock, time, at);
    }
    template <class Lock, class Time, class Predicate>
    bool wait_until(Lock& lock, const Time& time, Predicate satisfied,
                    detail::place at = detail::place::current()) requires std::is_invocable_r_v<bool, Predicate&> {
        return wait_for(lock, time, satisfied, at);
    }
    void notify_one(detail::place at = detail::place::current()) { detail::notify_one(this, false, at); }
    void notify_all(detail::place at = detail::place::current()) { detail::notify_all(this, false, at); }

private:
    template <class Lock>
    static void take(Lock& lock, const detail::place& at) {
        if constexpr (requires { lock.lock(at); }) {
            lock.lock(at);
        } else {
            lock.lock();
        }
    }
    template <class Lock>
    static void give(Lock& lock, const detail::place& at) {
        if constexpr (requires { lock.unlock(at); }) {
            lock.unlock(at);
        } else {
            lock.unlock();
        }
    }
    template <class Lock>
    static void pass_through(Lock& lock, const detail::place& at) {
        give(lock, at);
        take(lock, at);
    }
    template <class Lock>
    void sleep(Lock& lock, bool timed, const detail::place& at) {
        detail::enlist(this, at);
        give(lock, at);
        detail::sleep(this, timed, at);
        take(lock, at);
    }

    // Its address names the threads that wait.
    [[maybe_unused]] char unused_ = 0;
};
using condition_variable_any = condition_variable;

}  // namespace quiesce::explorer
