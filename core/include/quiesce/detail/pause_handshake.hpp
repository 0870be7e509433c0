// Who starts a service thread that is asked for while it is paused for a fork.
//
// Whoever asks must not wait for the end of the pause, since whoever forks may be waiting for it. So it leaves a
// request and looks whether the pause is still on; who ends the pause says so and looks for requests. Each stores one
// word and then loads the other's: store buffering, in which both may miss the other's store unless all four accesses
// are sequentially consistent. Neither side is frequent enough for an asymmetric fence.
#pragma once

#include <atomic>
#include <cstdint>

#include "quiesce/platform.hpp"

namespace quiesce::detail {

template <class P>
class pause_handshake {
public:
    pause_handshake() {
        P::name(phase_, "service.phase");
        P::name(wanted_, "service.wanted");
    }

    // Whoever asks for the thread.

    // Relaxed: a thread that asks hands its work over elsewhere, and has no other use for the service thread.
    bool started() const { return phase_.load(std::memory_order_relaxed) == is_started; }

    /// Whether it is paused, and who ends the pause will start it.
    bool left_to_pauser() {
        // [pause.1] acquire pairs with [pause.2]: the request comes after what the pause began with.
        if (phase_.load(std::memory_order_acquire) != is_paused) {
            return false;
        }
        // [pause.3] and [pause.4] pair with [pause.5] and [pause.6].
        wanted_.store(1, order(defect::request_left_with_release, std::memory_order_release));
        return phase_.load(order(defect::pause_tested_with_acquire, std::memory_order_acquire)) == is_paused;
    }

    // Under the lock under which the thread is started and paused.

    bool needed() const { return phase_.load(std::memory_order_relaxed) == is_needed; }
    void set_started() { phase_.store(is_started, std::memory_order_relaxed); }

    /// `again`: whether it is to be started again without being asked for.
    void pause(bool again) {
        wanted_.store(again ? 1 : 0, std::memory_order_relaxed);
        // [pause.2] release pairs with [pause.1].
        phase_.store(is_paused,
                     P::seeded(defect::pause_begun_relaxed) ? std::memory_order_relaxed : std::memory_order_release);
    }
    bool paused() const { return phase_.load(std::memory_order_relaxed) == is_paused; }
    void end_pause() {
        // [pause.5]
        phase_.store(is_needed, order(defect::pause_ended_with_release, std::memory_order_release));
    }

    /// Whoever ended the pause: whether the thread must be started now.
    bool wanted() const {
        // [pause.6]
        return wanted_.load(order(defect::request_looked_for_with_acquire, std::memory_order_acquire)) != 0;
    }

private:
    static constexpr std::uint32_t is_needed = 0;
    static constexpr std::uint32_t is_started = 1;
    static constexpr std::uint32_t is_paused = 2;

    static std::memory_order order(defect weakened_by, std::memory_order weaker) {
        return P::seeded(weakened_by) ? weaker : std::memory_order_seq_cst;
    }

    typename P::template atomic<std::uint32_t> phase_{is_needed};
    typename P::template atomic<std::uint32_t> wanted_{0};
};

}  // namespace quiesce::detail
