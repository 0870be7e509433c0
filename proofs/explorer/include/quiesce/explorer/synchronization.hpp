// As <semaphore>, <latch> and <barrier>.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

#include <quiesce/explorer/atomic.hpp>

namespace quiesce::explorer {

/// As std::counting_semaphore.
template <std::ptrdiff_t LeastMax = std::numeric_limits<std::ptrdiff_t>::max()>
class counting_semaphore {
public:
    explicit counting_semaphore(std::ptrdiff_t count, detail::place at = detail::place::current()) : count_(count, at) {
        detail::require(count >= 0 && count <= LeastMax, "a semaphore begins with a count that it cannot have", at);
    }

    static constexpr std::ptrdiff_t max() noexcept { return LeastMax; }
    void release(std::ptrdiff_t update = 1, detail::place at = detail::place::current()) {
        const std::ptrdiff_t old = count_.fetch_add(update, detail::order_announcing, at);
        detail::require(update >= 0 && update <= LeastMax - old, "a semaphore is released beyond its maximum", at);
    }
    void acquire(detail::place at = detail::place::current()) {
        (void)count_.await_add([](std::ptrdiff_t count) { return count > 0; }, -1, std::memory_order_acquire, at);
    }
    /// May fail although the count is not 0, as the standard allows: see `options::spurious_returns`.
    [[nodiscard]] bool try_acquire(detail::place at = detail::place::current()) {
        if (detail::returns_spuriously(at)) {
            return false;
        }
        std::ptrdiff_t seen = count_.load(detail::order_silent, at);
        while (seen > 0 &&
               !count_.compare_exchange_strong(seen, seen - 1, std::memory_order_acquire, detail::order_silent, at)) {
        }
        return seen > 0;
    }
    /// Whether the time is over is a choice: to wait here for ever is no deadlock.
    template <class Duration>
    [[nodiscard]] bool try_acquire_for(const Duration&, detail::place at = detail::place::current()) {
        return try_acquire(at);
    }
    template <class Time>
    [[nodiscard]] bool try_acquire_until(const Time&, detail::place at = detail::place::current()) {
        return try_acquire(at);
    }

private:
    atomic<std::ptrdiff_t> count_;
};
using binary_semaphore = counting_semaphore<1>;

/// As std::latch.
class latch {
public:
    explicit latch(std::ptrdiff_t expected, detail::place at = detail::place::current()) : left_(expected, at) {
        detail::require(expected >= 0, "a latch begins with less than nothing to wait for", at);
    }

    void count_down(std::ptrdiff_t update = 1, detail::place at = detail::place::current()) {
        const std::ptrdiff_t old = left_.fetch_sub(update, detail::order_announcing, at);
        detail::require(update >= 0 && update <= old, "a latch is counted down below 0", at);
    }
    /// May fail although nothing is left to wait for, as the standard allows: it may read an older value.
    [[nodiscard]] bool try_wait(detail::place at = detail::place::current()) const {
        return left_.load(std::memory_order_acquire, at) == 0;
    }
    void wait(detail::place at = detail::place::current()) const {
        (void)left_.await([](std::ptrdiff_t left) { return left == 0; }, std::memory_order_acquire, at);
    }
    void arrive_and_wait(std::ptrdiff_t update = 1, detail::place at = detail::place::current()) {
        count_down(update, at);
        wait(at);
    }

private:
    atomic<std::ptrdiff_t> left_;
};

namespace detail {

struct nothing {
    void operator()() const noexcept {}
};

}  // namespace detail

/// As std::barrier. The last thread that arrives runs the completion.
template <class Completion = detail::nothing>
class barrier {
    // The phase, who is expected in each, and who is still to arrive in this one, in one word.
    static constexpr unsigned phase_at = 32;
    static constexpr unsigned expected_at = 16;
    static constexpr std::uint64_t some = 0xffff;

public:
    using arrival_token = std::uint64_t;

    explicit barrier(std::ptrdiff_t expected, Completion completion = {}, detail::place at = detail::place::current())
        : state_(both(expected), at), completion_(std::move(completion)) {
        detail::require(expected >= 0 && expected <= max(), "a barrier expects more threads than it can", at);
    }

    static constexpr std::ptrdiff_t max() noexcept { return some; }
    [[nodiscard]] arrival_token arrive(std::ptrdiff_t update = 1, detail::place at = detail::place::current()) {
        return arrive(static_cast<std::uint64_t>(update), 0, at);
    }
    void wait(arrival_token phase, detail::place at = detail::place::current()) const {
        (void)state_.await([phase](std::uint64_t state) { return state >> phase_at != phase; },
                           std::memory_order_acquire, at);
    }
    void arrive_and_wait(detail::place at = detail::place::current()) { wait(arrive(1, at), at); }
    void arrive_and_drop(detail::place at = detail::place::current()) { (void)arrive(1, 1, at); }

private:
    static constexpr std::uint64_t both(std::ptrdiff_t expected) {
        const auto n = static_cast<std::uint64_t>(expected);
        return n << expected_at | n;
    }

    arrival_token arrive(std::uint64_t update, std::uint64_t drop, const detail::place& at) {
        const std::uint64_t less = drop << expected_at | update;
        // Whoever is early for the next phase waits for the completion of this one.
        const std::uint64_t old = state_.await_add([](std::uint64_t state) { return (state & some) != 0; }, 0 - less,
                                                   std::memory_order_release, at);
        const std::uint64_t phase = old >> phase_at;
        detail::require(update != 0 && update <= (old & some), "more threads arrive at a barrier than it expects", at);
        if ((old & some) == update) {
            // It comes after all that arrived; those that only arrive are not ordered among each other.
            atomic_thread_fence(std::memory_order_acquire, at);
            completion_();
            const std::uint64_t expected = (old - less) >> expected_at & some;
            state_.store((phase + 1) << phase_at | expected << expected_at | expected, std::memory_order_release, at);
        }
        return phase;
    }

    atomic<std::uint64_t> state_;
    Completion completion_;
};

}  // namespace quiesce::explorer
