// The other mutexes of <mutex> and <shared_mutex>: those that can be taken again by who has them, and those that are
// waited for until a time. Whether the time is over is a choice, as for `try_lock`: it may be where the mutex is held,
// and for no reason as often as `options::spurious_returns` says. That somebody waited until the mutex was free and
// took it is the same execution as that he tried then.
#pragma once

#include <cstdint>

#include <quiesce/explorer/mutex.hpp>

namespace quiesce::explorer {

/// As std::recursive_mutex.
class recursive_mutex {
public:
    explicit recursive_mutex(detail::place at = detail::place::current()) : mutex_(at) {}

    void lock(detail::place at = detail::place::current()) {
        if (owner_ != detail::holder()) {
            mutex_.lock(at);
            owner_ = detail::holder();
            depth_ = 0;
        }
        ++depth_;
    }
    /// May fail although nobody else holds it, as the standard allows, but not for who holds it.
    [[nodiscard]] bool try_lock(detail::place at = detail::place::current()) {
        if (owner_ != detail::holder()) {
            if (!mutex_.try_lock(at)) {
                return false;
            }
            owner_ = detail::holder();
            depth_ = 0;
        }
        ++depth_;
        return true;
    }
    void unlock(detail::place at = detail::place::current()) {
        detail::require(owner_ == detail::holder(), "a mutex is unlocked by a thread that does not hold it", at);
        if (--depth_ == 0) {
            owner_ = nobody;
            mutex_.unlock(at);
        }
    }

private:
    static constexpr std::uint64_t nobody = ~std::uint64_t{0};

    mutex mutex_;
    // Only who holds it finds himself here.
    std::uint64_t owner_ = nobody;
    unsigned depth_ = 0;
};

namespace detail {

template <class Mutex>
class timed : public Mutex {
public:
    using Mutex::Mutex;

    template <class Duration>
    [[nodiscard]] bool try_lock_for(const Duration&, place at = place::current()) {
        return this->try_lock(at);
    }
    template <class Time>
    [[nodiscard]] bool try_lock_until(const Time&, place at = place::current()) {
        return this->try_lock(at);
    }
};

}  // namespace detail

/// As std::timed_mutex.
class timed_mutex : public detail::timed<mutex> {
public:
    explicit timed_mutex(detail::place at = detail::place::current()) : timed(at) {}
};
/// As std::recursive_timed_mutex.
class recursive_timed_mutex : public detail::timed<recursive_mutex> {
public:
    explicit recursive_timed_mutex(detail::place at = detail::place::current()) : timed(at) {}
};
/// As std::shared_timed_mutex.
class shared_timed_mutex : public detail::timed<shared_mutex> {
public:
    explicit shared_timed_mutex(detail::place at = detail::place::current()) : timed(at) {}

    template <class Duration>
    [[nodiscard]] bool try_lock_shared_for(const Duration&, detail::place at = detail::place::current()) {
        return try_lock_shared(at);
    }
    template <class Time>
    [[nodiscard]] bool try_lock_shared_until(const Time&, detail::place at = detail::place::current()) {
        return try_lock_shared(at);
    }
};

}  // namespace quiesce::explorer
