// The handshake alone: an owner adds to its array while a flusher takes it over. Nothing is lost or seen twice.
#pragma once

#include "quiesce/detail/owner_gate.hpp"
#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct array_is_taken_over_whole {
    static constexpr defect_info defects[] = {
        {defect::owner_without_light_fence, "owner_without_light_fence", "", "data_race assertion",
         "Dice, Huang and Yang, 2001, on asymmetric synchronisation", "the owner enters without the light fence"},
        {defect::owner_tests_gate_before_entering, "owner_tests_gate_before_entering", "", "data_race assertion",
         "Dice, Huang and Yang, 2001, on asymmetric synchronisation",
         "the owner looks at the gate before it says that it is inside"},
        {defect::owner_leaves_relaxed, "owner_leaves_relaxed", "", "data_race", "C++20, [atomics.order]",
         "the owner leaves with a relaxed store"},
        {defect::owner_leaves_without_light_fence, "owner_leaves_without_light_fence", "", "deadlock",
         "Dice, Huang and Yang, 2001, on asymmetric synchronisation",
         "the owner leaves and tests for a parked flusher without a fence between"},
        {defect::flusher_without_heavy_fence, "flusher_without_heavy_fence", "", "data_race assertion deadlock",
         "Linux, man page of membarrier(2)", "the flusher closes the gate without the heavy fence"},
        {defect::flusher_sleeps_without_heavy_fence, "flusher_sleeps_without_heavy_fence", "", "deadlock",
         "Linux, man page of membarrier(2)", "the flusher says that it sleeps, and sleeps without the heavy fence"},
        {defect::flusher_does_not_wait, "flusher_does_not_wait", "", "data_race assertion",
         "Dice, Huang and Yang, 2001, on asymmetric synchronisation",
         "the flusher does not wait for an owner that was inside already"},
        {defect::flusher_opens_relaxed, "flusher_opens_relaxed", "", "data_race", "C++20, [atomics.order]",
         "the flusher opens the gate with a relaxed store"},
    };
    static constexpr std::string_view must_reach[] = {"the flusher took something", "the owner found the gate closed",
                                                      "the owner came back after the flusher"};
    static constexpr scenario_info info{"array_is_taken_over_whole",
                                        "between an owner and a flusher nothing of an array is lost or seen twice",
                                        "C3",
                                        2,
                                        defects,
                                        must_reach,
                                        true};

    static constexpr unsigned appends = 2;

    detail::owner_gate<P> gate;
    // The array: what the owner has collected.
    typename P::template plain<unsigned> collected{0};
    // The owner's and the flusher's own.
    unsigned put_elsewhere = 0;
    unsigned taken = 0;
    typename P::template plain<unsigned> flushes{0};

    array_is_taken_over_whole() { P::name(collected, "array.collected"); }

    void thread(unsigned i) {
        if (i == 0) {
            for (unsigned n = 0; n != appends; ++n) {
                if (gate.enter()) {
                    collected.set(collected.get() + 1);
                    if (flushes.get() == 1) {
                        P::reached("the owner came back after the flusher");
                    }
                    gate.leave();
                } else {
                    P::reached("the owner found the gate closed");
                    ++put_elsewhere;
                }
            }
            return;
        }
        gate.close();
        detail::owner_gate<P>::after_closing();
        gate.wait_until_outside();
        taken = collected.get();
        if (taken != 0) {
            P::reached("the flusher took something");
        }
        collected.set(0);
        flushes.set(1);
        gate.open();
    }

    void finish() { P::check(collected.get() + taken + put_elsewhere == appends, "something was lost, or seen twice"); }
};

}  // namespace quiesce::models
