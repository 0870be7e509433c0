// A service thread is asked for while another thread pauses it for a fork: one of the two starts it.
#pragma once

#include "quiesce/detail/lock_hold.hpp"
#include "quiesce/detail/pause_handshake.hpp"
#include "relacy_models/scenario.hpp"

namespace quiesce::models {

template <class P>
struct service_asked_for_during_a_pause_is_started {
    static constexpr defect_info defects[] = {
        {defect::pause_begun_relaxed, "pause_begun_relaxed", "", "assertion", "C++20, [atomics.order]",
         "the pause begins with a relaxed store", "1", "explorer"},
        {defect::request_left_with_release, "request_left_with_release", "", "assertion", "C++20, [atomics.order]",
         "the request is stored with release instead of sequential consistency", "1"},
        {defect::pause_tested_with_acquire, "pause_tested_with_acquire", "", "assertion", "C++20, [atomics.order]",
         "whether the pause is still on is loaded with acquire instead of sequential consistency", "1"},
        {defect::pause_ended_with_release, "pause_ended_with_release", "", "assertion", "C++20, [atomics.order]",
         "the end of the pause is stored with release instead of sequential consistency", "1"},
        {defect::request_looked_for_with_acquire, "request_looked_for_with_acquire", "", "assertion",
         "C++20, [atomics.order]", "requests are looked for with acquire instead of sequential consistency", "1"},
    };
    static constexpr std::string_view must_reach[] = {"the start was left to who paused"};
    static constexpr scenario_info info{"service_asked_for_during_a_pause_is_started",
                                        "a service thread that is asked for while it is paused runs after the pause",
                                        "C9",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        2,
                                        "1"};

    detail::pause_handshake<P> handshake;
    typename P::mutex lock;

    void start() {
        const detail::lock_hold hold(lock);
        if (handshake.needed()) {
            handshake.set_started();
        }
    }

    void thread(unsigned i) {
        if (i == 0) {
            if (handshake.started()) {
                return;
            }
            if (handshake.left_to_pauser()) {
                P::reached("the start was left to who paused");
                return;
            }
            start();
            return;
        }
        {
            const detail::lock_hold hold(lock);
            handshake.pause(!handshake.needed());
            handshake.end_pause();
        }
        if (handshake.wanted()) {
            start();
        }
    }

    void finish() { P::check(handshake.started(), "a request made during the pause was lost"); }
};

}  // namespace quiesce::models
