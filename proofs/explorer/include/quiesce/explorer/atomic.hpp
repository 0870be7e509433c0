// As <atomic>: atomic<T>, atomic_flag, fences; and plain<T>, an ordinary variable whose accesses are seen.
#pragma once

#include <atomic>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <quiesce/explorer/operations.hpp>

namespace quiesce::explorer {

// So that a program's namespace can be changed throughout.
using std::memory_order;
using std::memory_order_acq_rel;
using std::memory_order_acquire;
using std::memory_order_consume;
using std::memory_order_relaxed;
using std::memory_order_release;
using std::memory_order_seq_cst;

/// As std::atomic, for trivially copyable types of up to eight bytes. Operators are there too, but only the named
/// functions know where they are called from.
template <class T>
class atomic {
    static constexpr bool is_pointer = std::is_pointer_v<T>;
    static constexpr bool is_number = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;
    static constexpr bool is_integer = std::is_integral_v<T> && !std::is_same_v<T, bool>;

    template <class U>
    struct difference_of {
        using type = U;
    };
    template <class U>
    struct difference_of<U*> {
        using type = std::ptrdiff_t;
    };

public:
    using value_type = T;
    using difference_type = typename difference_of<T>::type;
    static constexpr bool is_always_lock_free = true;

    explicit(false) atomic(T value = T(), detail::place at = detail::place::current()) {
        (void)result(detail::operation::store,
                     {.operand = detail::to_word(value), .non_atomic = true, .constructs = true}, at);
    }
    atomic(const atomic&) = delete;
    atomic& operator=(const atomic&) = delete;

    bool is_lock_free() const noexcept { return true; }

    T load(std::memory_order order = std::memory_order_seq_cst, detail::place at = detail::place::current()) const {
        return result(detail::operation::load, {.success = order}, at);
    }
    void store(T value, std::memory_order order = std::memory_order_seq_cst,
               detail::place at = detail::place::current()) {
        (void)result(detail::operation::store, {.operand = detail::to_word(value), .success = order}, at);
    }
    T exchange(T value, std::memory_order order = std::memory_order_seq_cst,
               detail::place at = detail::place::current()) {
        return update(detail::to_word(value), order, at, &replaced);
    }
    T fetch_add(difference_type value, std::memory_order order = std::memory_order_seq_cst,
                detail::place at = detail::place::current()) requires(is_number || is_pointer) {
        return update(detail::to_word(value), order, at, &sum);
    }
    T fetch_sub(difference_type value, std::memory_order order = std::memory_order_seq_cst,
                detail::place at = detail::place::current()) requires(is_number || is_pointer) {
        return update(detail::to_word(value), order, at, &difference);
    }
    T fetch_or(T value, std::memory_order order = std::memory_order_seq_cst,
               detail::place at = detail::place::current()) requires is_integer {
        return update(detail::to_word(value), order, at,
                      [](std::uint64_t old, std::uint64_t operand) { return old | operand; });
    }
    T fetch_and(T value, std::memory_order order = std::memory_order_seq_cst,
                detail::place at = detail::place::current()) requires is_integer {
        return update(detail::to_word(value), order, at,
                      [](std::uint64_t old, std::uint64_t operand) { return old & operand; });
    }
    T fetch_xor(T value, std::memory_order order = std::memory_order_seq_cst,
                detail::place at = detail::place::current()) requires is_integer {
        return update(detail::to_word(value), order, at,
                      [](std::uint64_t old, std::uint64_t operand) { return old ^ operand; });
    }
    bool compare_exchange_strong(T& expected, T desired, std::memory_order success, std::memory_order failure,
                                 detail::place at = detail::place::current()) {
        return compare_exchange(expected, desired, success, failure, false, at);
    }
    bool compare_exchange_strong(T& expected, T desired, std::memory_order order = std::memory_order_seq_cst,
                                 detail::place at = detail::place::current()) {
        return compare_exchange(expected, desired, order, on_failure(order), false, at);
    }
    bool compare_exchange_weak(T& expected, T desired, std::memory_order success, std::memory_order failure,
                               detail::place at = detail::place::current()) {
        return compare_exchange(expected, desired, success, failure, true, at);
    }
    bool compare_exchange_weak(T& expected, T desired, std::memory_order order = std::memory_order_seq_cst,
                               detail::place at = detail::place::current()) {
        return compare_exchange(expected, desired, order, on_failure(order), true, at);
    }

    /// [atomics.wait]: blocks until a load finds another value and a notification, or a notification to come, says so.
    /// A store that nobody notifies of may leave it blocked for ever.
    void wait(T old, std::memory_order order = std::memory_order_seq_cst,
              detail::place at = detail::place::current()) const {
        for (;;) {
            detail::enlist(this, at);
            const T seen = result(detail::operation::load, {.success = order, .after_enlisting = true}, at);
            if (detail::to_word(seen) != detail::to_word(old)) {
                detail::withdraw(this, at);
                return;
            }
            detail::sleep(this, false, at);
        }
    }
    void notify_one(detail::place at = detail::place::current()) { detail::notify_one(this, true, at); }
    void notify_all(detail::place at = detail::place::current()) { detail::notify_all(this, true, at); }

    /// Blocks until a load satisfies the predicate; returns that value. One operation, whatever it waits for: use it
    /// instead of a loop. The predicate's captures are trivially copyable and at most sixteen bytes.
    template <class Predicate>
    T await(Predicate satisfied, std::memory_order order = std::memory_order_seq_cst,
            detail::place at = detail::place::current()) const {
        return await_and_update(satisfied, 0, nullptr, order, at);
    }
    /// The same, but a thread that waits here for ever is not a deadlock: the program offers another choice elsewhere.
    template <class Predicate>
    T await_timed(Predicate satisfied, std::memory_order order = std::memory_order_seq_cst,
                  detail::place at = detail::place::current()) const {
        return await_and_update(satisfied, 0, nullptr, order, at, true);
    }
    /// The same, and stores `value` in the same step.
    template <class Predicate>
    T await_exchange(Predicate satisfied, T value, std::memory_order order = std::memory_order_seq_cst,
                     detail::place at = detail::place::current()) {
        return await_and_update(satisfied, detail::to_word(value), &replaced, order, at);
    }
    /// The same, and adds `value` in the same step.
    template <class Predicate>
    T await_add(Predicate satisfied, difference_type value, std::memory_order order = std::memory_order_seq_cst,
                detail::place at = detail::place::current()) requires(is_number || is_pointer) {
        return await_and_update(satisfied, detail::to_word(value), &sum, order, at);
    }

    /// Accesses as of an ordinary variable, which may race.
    T non_atomic_load(detail::place at = detail::place::current()) const {
        return result(detail::operation::load, {.non_atomic = true}, at);
    }
    void non_atomic_store(T value, detail::place at = detail::place::current()) {
        (void)result(detail::operation::store, {.operand = detail::to_word(value), .non_atomic = true}, at);
    }

    explicit(false) operator T() const { return load(std::memory_order_seq_cst, {}); }
    // As std::atomic does, it returns the value.
    template <std::convertible_to<T> Value>
    T operator=(Value value) requires(!std::is_same_v<Value, atomic>) {
        const T stored = static_cast<T>(value);
        store(stored, std::memory_order_seq_cst, {});
        return stored;
    }
    T operator++(int) requires(is_integer || is_pointer) { return fetch_add(1, std::memory_order_seq_cst, {}); }
    T operator--(int) requires(is_integer || is_pointer) { return fetch_sub(1, std::memory_order_seq_cst, {}); }
    T operator++() requires(is_integer || is_pointer) { return plus(fetch_add(1, std::memory_order_seq_cst, {}), 1); }
    T operator--() requires(is_integer || is_pointer) { return minus(fetch_sub(1, std::memory_order_seq_cst, {}), 1); }
    T operator+=(difference_type value) requires(is_number || is_pointer) {
        return plus(fetch_add(value, std::memory_order_seq_cst, {}), value);
    }
    T operator-=(difference_type value) requires(is_number || is_pointer) {
        return minus(fetch_sub(value, std::memory_order_seq_cst, {}), value);
    }
    T operator&=(T value) requires is_integer {
        return static_cast<T>(fetch_and(value, std::memory_order_seq_cst, {}) & value);
    }
    T operator|=(T value) requires is_integer {
        return static_cast<T>(fetch_or(value, std::memory_order_seq_cst, {}) | value);
    }
    T operator^=(T value) requires is_integer {
        return static_cast<T>(fetch_xor(value, std::memory_order_seq_cst, {}) ^ value);
    }

private:
    struct details {
        std::uint64_t operand = 0;
        std::memory_order success = std::memory_order_relaxed;
        bool non_atomic = false;
        bool after_enlisting = false;
        bool constructs = false;
    };

    static constexpr std::memory_order on_failure(std::memory_order order) {
        switch (order) {
            case std::memory_order_acq_rel: return std::memory_order_acquire;
            case std::memory_order_release: return std::memory_order_relaxed;
            default: return order;
        }
    }
    static std::uint64_t replaced(std::uint64_t, std::uint64_t operand) { return operand; }
    // Integers wrap, as in std::atomic.
    static T plus(T value, difference_type by) {
        if constexpr (is_integer) {
            using bits = std::make_unsigned_t<T>;
            return static_cast<T>(static_cast<bits>(static_cast<bits>(value) + static_cast<bits>(by)));
        } else {
            return value + by;
        }
    }
    static T minus(T value, difference_type by) {
        if constexpr (is_integer) {
            using bits = std::make_unsigned_t<T>;
            return static_cast<T>(static_cast<bits>(static_cast<bits>(value) - static_cast<bits>(by)));
        } else {
            return value - by;
        }
    }
    static std::uint64_t sum(std::uint64_t old, std::uint64_t operand) {
        return detail::to_word(plus(detail::from_word<T>(old), detail::from_word<difference_type>(operand)));
    }
    static std::uint64_t difference(std::uint64_t old, std::uint64_t operand) {
        return detail::to_word(minus(detail::from_word<T>(old), detail::from_word<difference_type>(operand)));
    }

    T result(detail::operation what, const details& d, const detail::place& at) const {
        return detail::from_word<T>(detail::perform({.what = what,
                                                     .cell = this,
                                                     .operand = d.operand,
                                                     .success = d.success,
                                                     .non_atomic = d.non_atomic,
                                                     .after_enlisting = d.after_enlisting,
                                                     .constructs = d.constructs,
                                                     .bytes = sizeof(T)},
                                                    at));
    }

    T update(std::uint64_t operand, std::memory_order order, const detail::place& at,
             std::uint64_t (*apply)(std::uint64_t, std::uint64_t)) {
        return detail::from_word<T>(detail::perform({.what = detail::operation::update,
                                                     .cell = this,
                                                     .operand = operand,
                                                     .success = order,
                                                     .bytes = sizeof(T),
                                                     .apply = apply},
                                                    at));
    }

    bool compare_exchange(T& expected, T desired, std::memory_order success, std::memory_order failure, bool weak,
                          const detail::place& at) {
        bool succeeded = false;
        const std::uint64_t found = detail::perform({.what = detail::operation::compare_exchange,
                                                     .cell = this,
                                                     .operand = detail::to_word(expected),
                                                     .desired = detail::to_word(desired),
                                                     .success = success,
                                                     .failure = failure,
                                                     .weak = weak,
                                                     .bytes = sizeof(T)},
                                                    at, &succeeded);
        if (!succeeded) {
            expected = detail::from_word<T>(found);
        }
        return succeeded;
    }

    template <class Predicate>
    T await_and_update(const Predicate& satisfied, std::uint64_t operand,
                       std::uint64_t (*apply)(std::uint64_t, std::uint64_t), std::memory_order order,
                       const detail::place& at, bool timed = false) const {
        static_assert(std::is_trivially_copyable_v<Predicate> && sizeof(Predicate) <= 16,
                      "the captures of an await's predicate are trivially copyable and at most sixteen bytes");
        return detail::from_word<T>(detail::perform(
            {.what = detail::operation::await,
             .cell = this,
             .operand = operand,
             .success = order,
             .timed = timed,
             .bytes = sizeof(T),
             .apply = apply,
             .holds =
                 [](const void* captured, std::uint64_t found) {
                     return static_cast<bool>((*static_cast<const Predicate*>(captured))(detail::from_word<T>(found)));
                 },
             .captured = &satisfied,
             .captured_bytes = sizeof(Predicate)},
            at));
    }

    // Its address names the location; the value is the execution graph's, and only outside the runs this one.
    alignas(T) unsigned char unused_[sizeof(T)];
};

using atomic_bool = atomic<bool>;
using atomic_char = atomic<char>;
using atomic_int = atomic<int>;
using atomic_uint = atomic<unsigned>;
using atomic_long = atomic<long>;
using atomic_ulong = atomic<unsigned long>;
using atomic_int32_t = atomic<std::int32_t>;
using atomic_uint32_t = atomic<std::uint32_t>;
using atomic_int64_t = atomic<std::int64_t>;
using atomic_uint64_t = atomic<std::uint64_t>;
using atomic_intptr_t = atomic<std::intptr_t>;
using atomic_uintptr_t = atomic<std::uintptr_t>;
using atomic_size_t = atomic<std::size_t>;
using atomic_ptrdiff_t = atomic<std::ptrdiff_t>;

/// As std::atomic_flag.
class atomic_flag {
public:
    explicit atomic_flag(detail::place at = detail::place::current()) : set_(false, at) {}

    bool test(std::memory_order order = std::memory_order_seq_cst, detail::place at = detail::place::current()) const {
        return set_.load(order, at);
    }
    bool test_and_set(std::memory_order order = std::memory_order_seq_cst,
                      detail::place at = detail::place::current()) {
        return set_.exchange(true, order, at);
    }
    void clear(std::memory_order order = std::memory_order_seq_cst, detail::place at = detail::place::current()) {
        set_.store(false, order, at);
    }
    void wait(bool old, std::memory_order order = std::memory_order_seq_cst,
              detail::place at = detail::place::current()) const {
        set_.wait(old, order, at);
    }
    void notify_one(detail::place at = detail::place::current()) { set_.notify_one(at); }
    void notify_all(detail::place at = detail::place::current()) { set_.notify_all(at); }

private:
    atomic<bool> set_;
};

/// An ordinary variable that threads share: accesses that race are violations.
template <class T>
class plain {
public:
    explicit(false) plain(T value = T(), detail::place at = detail::place::current()) { write(value, true, at); }
    plain(const plain&) = delete;
    plain& operator=(const plain&) = delete;

    T get(detail::place at = detail::place::current()) const {
        return detail::from_word<T>(detail::perform(
            {.what = detail::operation::load, .cell = this, .non_atomic = true, .bytes = sizeof(T)}, at));
    }
    void set(T value, detail::place at = detail::place::current()) { write(value, false, at); }

private:
    void write(T value, bool constructs, const detail::place& at) {
        detail::perform({.what = detail::operation::store,
                         .cell = this,
                         .operand = detail::to_word(value),
                         .non_atomic = true,
                         .constructs = constructs,
                         .bytes = sizeof(T)},
                        at);
    }

    alignas(T) unsigned char unused_[sizeof(T)];
};

inline void atomic_thread_fence(std::memory_order order, detail::place at = detail::place::current()) {
    detail::fence(order, detail::fence_kind::standard, at);
}
/// Orders only against heavy fences: what a compiler barrier is beside membarrier(2).
inline void light_fence(detail::place at = detail::place::current()) {
    detail::fence(std::memory_order_seq_cst, detail::fence_kind::light, at);
}
inline void heavy_fence(detail::place at = detail::place::current()) {
    detail::fence(std::memory_order_seq_cst, detail::fence_kind::heavy, at);
}

/// The last value in modification order, without an event: for outcomes, when the writers have ended.
template <class T>
T final_value(const atomic<T>& cell, detail::place at = detail::place::current()) {
    return detail::from_word<T>(detail::newest(&cell, sizeof(T), at));
}
template <class T>
T final_value(const plain<T>& cell, detail::place at = detail::place::current()) {
    return detail::from_word<T>(detail::newest(&cell, sizeof(T), at));
}

}  // namespace quiesce::explorer
