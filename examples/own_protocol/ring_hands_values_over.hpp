// A ring for one producer and one consumer, and the property that values come out of it as they went in.
#pragma once

#include <atomic>
#include <relacy_models/scenario.hpp>

// The structure. Whatever its threads share comes from the platform P.
template <class P>
struct ring {
    static constexpr quiesce::defect slot_freed_relaxed = quiesce::user_defect<0>;
    static constexpr unsigned slots = 2;
    typename P::template plain<unsigned> slot[slots]{0, 0};
    typename P::template atomic<unsigned> written{0};
    typename P::template atomic<unsigned> read{0};
    void push(unsigned value) {
        const unsigned n = written.load(std::memory_order_relaxed);
        const auto has_room = [n](unsigned r) { return n - r < slots; };
        P::await(read, has_room, std::memory_order_acquire);
        slot[n % slots].set(value);
        written.store(n + 1, std::memory_order_release);
        P::wake(written);
    }
    unsigned pop() {
        const unsigned n = read.load(std::memory_order_relaxed);
        const auto has_value = [n](unsigned w) { return w != n; };
        P::await(written, has_value, std::memory_order_acquire);
        const unsigned value = slot[n % slots].get();
        // Without the release the producer may overwrite a slot that is still being read.
        read.store(n + 1, P::seeded(slot_freed_relaxed) ? std::memory_order_relaxed : std::memory_order_release);
        P::wake(read);
        return value;
    }
};

// The scenario: two threads, what they must find, and what must have happened for a run to count.
template <class P>
struct ring_hands_values_over {
    static constexpr quiesce::models::defect_info defects[] = {
        {ring<P>::slot_freed_relaxed, "slot_freed_relaxed", "", "data_race", "", "a slot is freed by a relaxed store"},
    };
    static constexpr std::string_view must_reach[] = {"a slot was used again"};
    static constexpr quiesce::models::scenario_info info{
        "ring_hands_values_over", "every value comes out once, in order", "", 2, defects, must_reach, true, 0, "1"};
    ring<P> values;
    ring_hands_values_over() {
        P::name(values.slot[0], "slot[0]");
        P::name(values.slot[1], "slot[1]");
        P::name(values.written, "written");
        P::name(values.read, "read");
    }
    void thread(unsigned i) {
        for (unsigned value = 1; value <= 3; ++value) {
            if (i == 0) values.push(value);
            if (i == 1) P::check(values.pop() == value, "not the value that was put in");
            if (value > values.slots) P::reached("a slot was used again");
        }
    }
    void finish() {}
};
