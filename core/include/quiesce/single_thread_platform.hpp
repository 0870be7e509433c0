// A platform for programs of one thread: the protocols of the core without atomics, locks, fences and threads.
//
// Nothing of a protocol is written again for one thread. Its source is the same; what it asks of its platform is less:
// an atomic is an ordinary variable, a lock is a note that it is held, a fence is nothing, and there is no driver but
// the caller. A wait whose end only another thread could bring about is reported instead of begun.
//
// The base gives the rest: memory, choices, reports, what is seeded. Under a checker every access is an access of the
// base's `plain`, so that a domain which two threads use without an order between them is a data race there too.
//
// Source: the tiny variant of RCU in the Linux kernel, kernel/rcu/tiny.c.
#pragma once

#include <atomic>
#include <cstdint>
#include <source_location>
#include <type_traits>
#include <utility>

#include "quiesce/platform.hpp"

namespace quiesce {

namespace detail {

/// The driver, and the worker, where there is no thread: who calls `quiescent_point`, or waits, takes the steps.
template <class Domain>
class absent_driver {
public:
    explicit absent_driver(Domain&) noexcept {}
    void ensure_started() noexcept {}
    void stop() noexcept {}
    static constexpr bool is_this_thread() noexcept { return false; }
    void pause_for_fork() noexcept {}
    void resume_in_parent() noexcept {}
    void resume_in_child() noexcept {}
};

}  // namespace detail

template <class Base>
class single_thread_platform : public Base {
    using place = std::source_location;

public:
    /// Says to the core that no other thread takes a step, ends a section or frees anything.
    static constexpr bool single_thread = true;

    /// An ordinary variable with the interface of an atomic. The orders order nothing.
    template <class T>
    class atomic {
        using variable = typename Base::template plain<T>;

    public:
        explicit(false) atomic(T v, place at = place::current()) : value_(made(v, at)) {}

        T load(std::memory_order, place at = place::current()) const { return get(at); }
        void store(T v, std::memory_order, place at = place::current()) { set(v, at); }
        T exchange(T v, std::memory_order, place at = place::current()) {
            const T old = get(at);
            set(v, at);
            return old;
        }
        bool compare_exchange_strong(T& expected, T v, std::memory_order, std::memory_order,
                                     place at = place::current()) {
            const T found = get(at);
            if (found != expected) {
                expected = found;
                return false;
            }
            set(v, at);
            return true;
        }
        bool compare_exchange_weak(T& expected, T v, std::memory_order success, std::memory_order failure,
                                   place at = place::current()) {
            return compare_exchange_strong(expected, v, success, failure, at);
        }
        T fetch_add(T v, std::memory_order order, place at = place::current()) requires std::is_integral_v<T> {
            return exchange(static_cast<T>(get(at) + v), order, at);
        }
        T fetch_sub(T v, std::memory_order order, place at = place::current()) requires std::is_integral_v<T> {
            return exchange(static_cast<T>(get(at) - v), order, at);
        }

    private:
        friend class single_thread_platform;

        // A checker is told the place in the core.
        static variable made(T v, place at) {
            if constexpr (std::is_constructible_v<variable, T, place>) {
                return variable(v, at);
            } else {
                return variable(v);
            }
        }
        T get(place at) const {
            if constexpr (requires { value_.get(at); }) {
                return value_.get(at);
            } else {
                return value_.get();
            }
        }
        void set(T v, place at) {
            if constexpr (requires { value_.set(v, at); }) {
                value_.set(v, at);
            } else {
                value_.set(v);
            }
        }

        variable value_;
    };

    class mutex {
    public:
        mutex() = default;
        mutex(const mutex&) = delete;
        mutex& operator=(const mutex&) = delete;

        void lock() {
            if (!try_lock()) {
                Base::report({misuse::wait_without_end, "lock", this});
            }
        }
        bool try_lock() { return !std::exchange(held_, true); }
        void unlock() { held_ = false; }

    private:
        bool held_ = false;
    };

    /// The thread's end is not seen: a domain of one thread is destroyed, or goes to another thread.
    template <class T>
    class thread_slot {
    public:
        using hook = void (*)(void* context, T* value);
        using question = bool (*)(T* value);

        thread_slot(void*, hook, question = nullptr) noexcept {}
        thread_slot(const thread_slot&) = delete;
        thread_slot& operator=(const thread_slot&) = delete;

        T* get() const noexcept { return value_; }
        [[nodiscard]] bool set(T* value) noexcept {
            value_ = value;
            return true;
        }

    private:
        T* value_ = nullptr;
    };

    template <class Domain>
    using driver = detail::absent_driver<Domain>;
    template <class Domain>
    using worker = detail::absent_driver<Domain>;

    static void light_fence() noexcept {}
    static void heavy_fence() noexcept {}

    template <class T, class Predicate>
    static T await(atomic<T>& cell, Predicate satisfied, std::memory_order order, place at = place::current()) {
        const T seen = cell.load(order, at);
        if (!satisfied(seen)) {
            Base::report({misuse::wait_without_end, "wait", &cell});
        }
        return seen;
    }
    /// Does not wait: nobody would make it true meanwhile.
    template <class T, class Predicate>
    static bool await_for(atomic<T>& cell, Predicate satisfied, std::memory_order order, unsigned,
                          place at = place::current()) {
        return satisfied(cell.load(order, at));
    }
    template <class T>
    static void wake(atomic<T>&) noexcept {}

    static constexpr unsigned this_shard() noexcept { return 0; }

    static constexpr quiesce::limits limits() {
        quiesce::limits l = Base::limits();
        l.shards = 1;
        l.address_parts = 1;
        return l;
    }

    /// To slow a producer down helps only where another thread frees meanwhile.
    static constexpr bool thread_is_busy() noexcept { return true; }

    using Base::name;
    template <class T>
    static void name(const atomic<T>& cell, const char* text) {
        Base::name(cell.value_, text);
    }
};

}  // namespace quiesce
