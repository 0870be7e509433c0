// As <mutex> and <shared_mutex>. The locks of the standard library work with these mutexes too, but do not know where
// they are used, so traces are better with these.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <tuple>
#include <type_traits>
#include <utility>

#include <quiesce/explorer/atomic.hpp>

namespace quiesce::explorer {

using std::adopt_lock;
using std::adopt_lock_t;
using std::defer_lock;
using std::defer_lock_t;
using std::try_to_lock;
using std::try_to_lock_t;

/// As std::mutex. Not recursive: who locks it twice waits for ever.
class mutex {
public:
    explicit mutex(detail::place at = detail::place::current()) : held_(false, at) {}

    void lock(detail::place at = detail::place::current()) {
        (void)held_.await_exchange([](bool held) { return !held; }, true, std::memory_order_acquire, at);
        owner_ = detail::holder();
    }
    /// May fail although nobody holds it, as the standard allows: see `options::spurious_returns`.
    [[nodiscard]] bool try_lock(detail::place at = detail::place::current()) {
        bool held = false;
        if (detail::returns_spuriously(at) ||
            !held_.compare_exchange_strong(held, true, std::memory_order_acquire, detail::order_silent, at)) {
            return false;
        }
        owner_ = detail::holder();
        return true;
    }
    void unlock(detail::place at = detail::place::current()) {
        detail::require(owner_ == detail::holder(), "a mutex is unlocked by a thread that does not hold it", at);
        owner_ = nobody;
        held_.store(false, std::memory_order_release, at);
    }

private:
    static constexpr std::uint64_t nobody = ~std::uint64_t{0};

    atomic<bool> held_;
    std::uint64_t owner_ = nobody;
};

/// As std::shared_mutex. Readers are ordered by writers only: `unlock` stores, and all else updates what it stored, so
/// a reader acquires from the store and a writer from all.
class shared_mutex {
public:
    explicit shared_mutex(detail::place at = detail::place::current()) : readers_(0, at) {}

    void lock(detail::place at = detail::place::current()) {
        (void)readers_.await_exchange([](int n) { return n == 0; }, exclusive, std::memory_order_acquire, at);
        owner_ = detail::holder();
    }
    [[nodiscard]] bool try_lock(detail::place at = detail::place::current()) {
        int none = 0;
        if (detail::returns_spuriously(at) ||
            !readers_.compare_exchange_strong(none, exclusive, std::memory_order_acquire, detail::order_silent, at)) {
            return false;
        }
        owner_ = detail::holder();
        return true;
    }
    void unlock(detail::place at = detail::place::current()) {
        detail::require(owner_ == detail::holder(), "a shared mutex is unlocked by a thread that does not hold it", at);
        owner_ = nobody;
        readers_.store(0, std::memory_order_release, at);
    }
    void lock_shared(detail::place at = detail::place::current()) {
        (void)readers_.await_add([](int n) { return n >= 0; }, 1, detail::order_from_head, at);
    }
    [[nodiscard]] bool try_lock_shared(detail::place at = detail::place::current()) {
        if (detail::returns_spuriously(at)) {
            return false;
        }
        // Another reader is no reason to fail.
        int seen = readers_.load(detail::order_silent, at);
        while (seen != exclusive &&
               !readers_.compare_exchange_strong(seen, seen + 1, detail::order_from_head, detail::order_silent, at)) {
        }
        return seen != exclusive;
    }
    void unlock_shared(detail::place at = detail::place::current()) {
        const int was = readers_.fetch_sub(1, detail::order_announcing, at);
        detail::require(was > 0, "a shared mutex is unlocked that is not locked shared", at);
    }

private:
    static constexpr int exclusive = -1;
    static constexpr std::uint64_t nobody = ~std::uint64_t{0};

    atomic<int> readers_;
    std::uint64_t owner_ = nobody;
};

/// As std::lock_guard.
template <class Mutex>
class lock_guard {
public:
    using mutex_type = Mutex;

    explicit lock_guard(Mutex& m, detail::place at = detail::place::current()) : mutex_(m), at_(at) { mutex_.lock(at); }
    lock_guard(Mutex& m, adopt_lock_t, detail::place at = detail::place::current()) : mutex_(m), at_(at) {}
    lock_guard(const lock_guard&) = delete;
    lock_guard& operator=(const lock_guard&) = delete;
    ~lock_guard() { mutex_.unlock(at_); }

private:
    Mutex& mutex_;
    detail::place at_;
};

namespace detail {

// What unique_lock and shared_lock have in common; `Side` is how they lock.
template <class Mutex, class Side>
class movable_lock {
public:
    using mutex_type = Mutex;

    movable_lock() noexcept = default;
    explicit movable_lock(Mutex& m, place at = place::current()) : mutex_(&m), at_(at) { lock(at); }
    movable_lock(Mutex& m, defer_lock_t, place at = place::current()) noexcept : mutex_(&m), at_(at) {}
    movable_lock(Mutex& m, try_to_lock_t, place at = place::current()) : mutex_(&m), at_(at) { (void)try_lock(at); }
    movable_lock(Mutex& m, adopt_lock_t, place at = place::current()) : mutex_(&m), owns_(true), at_(at) {}
    movable_lock(movable_lock&& from) noexcept
        : mutex_(std::exchange(from.mutex_, nullptr)), owns_(std::exchange(from.owns_, false)), at_(from.at_) {}
    movable_lock& operator=(movable_lock&& from) noexcept {
        if (owns_) {
            unlock(at_);
        }
        mutex_ = std::exchange(from.mutex_, nullptr);
        owns_ = std::exchange(from.owns_, false);
        at_ = from.at_;
        return *this;
    }
    ~movable_lock() {
        if (owns_) {
            unlock(at_);
        }
    }

    void lock(place at = place::current()) {
        require(mutex_ != nullptr && !owns_, "a lock is taken that has no mutex, or has it already", at);
        Side::lock(*mutex_, at);
        owns_ = true;
    }
    [[nodiscard]] bool try_lock(place at = place::current()) {
        require(mutex_ != nullptr && !owns_, "a lock is taken that has no mutex, or has it already", at);
        owns_ = Side::try_lock(*mutex_, at);
        return owns_;
    }
    /// Of mutexes that can be waited for until a time.
    template <class Duration>
    [[nodiscard]] bool try_lock_for(const Duration&, place at = place::current()) {
        return try_lock(at);
    }
    template <class Time>
    [[nodiscard]] bool try_lock_until(const Time&, place at = place::current()) {
        return try_lock(at);
    }
    void unlock(place at = place::current()) {
        require(owns_, "a lock is given back that is not held", at);
        owns_ = false;
        Side::unlock(*mutex_, at);
    }
    Mutex* release() noexcept {
        owns_ = false;
        return std::exchange(mutex_, nullptr);
    }
    Mutex* mutex() const noexcept { return mutex_; }
    bool owns_lock() const noexcept { return owns_; }
    explicit operator bool() const noexcept { return owns_; }

private:
    Mutex* mutex_ = nullptr;
    bool owns_ = false;
    place at_;
};

struct exclusive_side {
    static void lock(auto& m, const place& at) { m.lock(at); }
    static bool try_lock(auto& m, const place& at) { return m.try_lock(at); }
    static void unlock(auto& m, const place& at) { m.unlock(at); }
};
struct shared_side {
    static void lock(auto& m, const place& at) { m.lock_shared(at); }
    static bool try_lock(auto& m, const place& at) { return m.try_lock_shared(at); }
    static void unlock(auto& m, const place& at) { m.unlock_shared(at); }
};

}  // namespace detail

/// As std::unique_lock.
template <class Mutex>
class unique_lock : public detail::movable_lock<Mutex, detail::exclusive_side> {
public:
    using detail::movable_lock<Mutex, detail::exclusive_side>::movable_lock;
};
template <class Mutex, class... Rest>
unique_lock(Mutex&, Rest...) -> unique_lock<Mutex>;

/// As std::shared_lock.
template <class Mutex>
class shared_lock : public detail::movable_lock<Mutex, detail::shared_side> {
public:
    using detail::movable_lock<Mutex, detail::shared_side>::movable_lock;
};
template <class Mutex, class... Rest>
shared_lock(Mutex&, Rest...) -> shared_lock<Mutex>;

/// As std::lock. That one tries again until it has all, with no end to it; here a round that fails is left out when the
/// mutex that it found taken is free again, since whatever follows is also what follows a round that began later.
template <class First, class... Rest>
void lock(First& first, Rest&... rest) {
    first.lock();
    // How many of the rest are taken too.
    std::size_t taken = 0;
    const auto take = [&taken](auto& m) { return m.try_lock() && ++taken != 0; };
    if ((take(rest) && ...)) {
        return;
    }
    first.unlock();
    std::size_t index = 0;
    const auto give = [&](auto& m) {
        if (index < taken) {
            m.unlock();
        } else if (index == taken) {
            m.lock();
        }
        ++index;
    };
    (give(rest), ...);
    detail::assume(false);
}

/// As std::scoped_lock. Of one mutex it knows where it is used.
template <class... Mutexes>
class scoped_lock {
public:
    explicit scoped_lock(Mutexes&... m) : mutexes_(m...) {
        if constexpr (sizeof...(Mutexes) > 1) {
            explorer::lock(m...);
        }
    }
    explicit scoped_lock(adopt_lock_t, Mutexes&... m) : mutexes_(m...) {}
    scoped_lock(const scoped_lock&) = delete;
    scoped_lock& operator=(const scoped_lock&) = delete;
    ~scoped_lock() {
        std::apply([](auto&... m) { (m.unlock(), ...); }, mutexes_);
    }

private:
    std::tuple<Mutexes&...> mutexes_;
};
template <class Mutex>
class scoped_lock<Mutex> : public lock_guard<Mutex> {
public:
    using lock_guard<Mutex>::lock_guard;
    scoped_lock(adopt_lock_t, Mutex& m, detail::place at = detail::place::current())
        : lock_guard<Mutex>(m, adopt_lock, at) {}
};
template <class Mutex>
scoped_lock(Mutex&, detail::place) -> scoped_lock<Mutex>;

/// As std::once_flag.
class once_flag {
public:
    explicit once_flag(detail::place at = detail::place::current()) : state_(state::not_yet, at) {}

private:
    enum class state : unsigned char { not_yet, running, done };

    template <class Function, class... Arguments>
    friend void call_once(once_flag& flag, Function&& function, Arguments&&... arguments);

    atomic<state> state_;
};

/// As std::call_once.
template <class Function, class... Arguments>
void call_once(once_flag& flag, Function&& function, Arguments&&... arguments) {
    using state = once_flag::state;
    for (;;) {
        state seen = flag.state_.await([](state s) { return s != state::running; }, std::memory_order_acquire);
        if (seen == state::done) {
            return;
        }
        if (flag.state_.compare_exchange_strong(seen, state::running, std::memory_order_acquire,
                                                std::memory_order_relaxed)) {
            try {
                std::invoke(std::forward<Function>(function), std::forward<Arguments>(arguments)...);
            } catch (...) {
                flag.state_.store(state::not_yet, std::memory_order_release);
                throw;
            }
            flag.state_.store(state::done, std::memory_order_release);
            return;
        }
    }
}

}  // namespace quiesce::explorer
