// The handshake by which a flusher takes over what a thread keeps for itself.
//
// A thread's own arrays are used by their owner all the time and by a flusher (a barrier, the monitor, a destroyed
// cache) now and then. So the owner pays a plain store and a light fence each way, and the flusher pays the heavy
// fence: the owner says that it is inside, passes the light fence, then looks whether the gate is closed; the flusher
// closes the gate, passes the heavy fence, then waits until the owner is outside. Either the owner sees the gate closed
// and stays out, or the flusher sees the owner inside and waits for it. An owner that finds the gate closed does not
// wait for the flusher: it uses the shard.
//
// Between `enter` and `leave` the owner must not wait for a grace period, call code of the user, or enter again; so a
// signal handler must not use what a gate guards.
//
// Source: asymmetric Dekker synchronisation, as in Dice, Huang and Yang, "Asymmetric Dekker Synchronization", 2001.
#pragma once

#include <atomic>
#include <cstdint>

#include "quiesce/platform.hpp"

namespace quiesce::detail {

template <class P>
class owner_gate {
public:
    owner_gate() {
        P::name(inside_, "gate.inside");
        P::name(closed_, "gate.closed");
    }

    // The owner's side.

    /// Returns whether the owner is inside now; if not, a flusher is at work and the owner's things are not its own.
    bool enter() {
        if (P::seeded(defect::owner_tests_gate_before_entering)) {
            // [own.3], then [own.1].
            const bool closed = closed_.load(std::memory_order_acquire) != 0;
            inside_.store(1, std::memory_order_relaxed);
            P::light_fence();
            if (closed) {
                leave();
            }
            return !closed;
        }
        inside_.store(1, std::memory_order_relaxed);
        if (!P::seeded(defect::owner_without_light_fence)) {
            // [own.1] pairs with the heavy fence [own.2].
            P::light_fence();
        }
        // [own.3] acquire pairs with [own.4]: the owner finds its things as the last flusher left them.
        if (closed_.load(std::memory_order_acquire) == 0) [[likely]] {
            return true;
        }
        leave();
        return false;
    }

    void leave() {
        // [own.5] release pairs with [own.6]: the flusher finds what the owner did.
        inside_.store(0,
                      P::seeded(defect::owner_leaves_relaxed) ? std::memory_order_relaxed : std::memory_order_release);
        if (!P::seeded(defect::owner_leaves_without_light_fence)) {
            // [own.7] pairs with the heavy fence [own.8]: either the flusher sees the owner outside, or the owner sees
            // it asleep and wakes it.
            P::light_fence();
        }
        if (closed_.load(std::memory_order_relaxed) == asleep) [[unlikely]] {
            P::wake(inside_);
        }
    }

    // The flusher's side: close any number of gates, one `after_closing`, then wait at each and open it. One flusher at
    // a time.

    void close() { closed_.store(shut, std::memory_order_relaxed); }

    static void after_closing() {
        if (!P::seeded(defect::flusher_without_heavy_fence)) {
            // [own.2] pairs with the light fence [own.1].
            P::heavy_fence();
        }
    }

    /// Blocks while the owner is inside, which is short.
    void wait_until_outside() {
        if (P::seeded(defect::flusher_does_not_wait)) {
            return;
        }
        // [own.6] acquire pairs with [own.5].
        if (inside_.load(std::memory_order_acquire) == 0) {
            return;
        }
        // Said only now, so that an owner that passes a closed gate makes no system call for nothing.
        closed_.store(asleep, std::memory_order_relaxed);
        if (!P::seeded(defect::flusher_sleeps_without_heavy_fence)) {
            // [own.8] pairs with the light fence [own.7].
            P::heavy_fence();
        }
        P::await(
            inside_, [](std::uint64_t inside) { return inside == 0; }, std::memory_order_acquire);
    }

    /// In the child of a fork: the owner, if it tried to enter, is gone.
    void forget_owner() { inside_.store(0, std::memory_order_relaxed); }

    void open() {
        // [own.4] release pairs with [own.3].
        closed_.store(0,
                      P::seeded(defect::flusher_opens_relaxed) ? std::memory_order_relaxed : std::memory_order_release);
    }

private:
    // What `closed_` says beside 0, open.
    static constexpr std::uint32_t shut = 1;
    static constexpr std::uint32_t asleep = 2;

    typename P::template atomic<std::uint32_t> inside_{0};
    typename P::template atomic<std::uint32_t> closed_{0};
};

}  // namespace quiesce::detail
