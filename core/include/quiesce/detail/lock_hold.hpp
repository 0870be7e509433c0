// A scope that holds a platform's mutex.
#pragma once

#include <source_location>

namespace quiesce::detail {

/// As std::lock_guard, but a model platform's mutex is told the place in the core that locks it, not a line of <mutex>.
template <class Mutex>
class [[nodiscard]] lock_hold {
public:
    explicit lock_hold(Mutex& m, std::source_location place = std::source_location::current())
        : mutex_(m), place_(place) {
        if constexpr (requires { m.lock(place); }) {
            m.lock(place);
        } else {
            m.lock();
        }
    }
    lock_hold(const lock_hold&) = delete;
    lock_hold& operator=(const lock_hold&) = delete;
    ~lock_hold() {
        if constexpr (requires { mutex_.unlock(place_); }) {
            mutex_.unlock(place_);
        } else {
            mutex_.unlock();
        }
    }

private:
    Mutex& mutex_;
    std::source_location place_;
};

}  // namespace quiesce::detail
