// What is found when one place after another is looked at, while things move from place to place.
//
// What is looked for may move on to a place that was looked at before, so one round shows nothing. Two rounds that find
// every place empty, and the same numbers of arrivals, do: what came to a place between its two looks was counted
// there, so at the end of the first round all were empty at the same time (Afek, Attiya, Dolev, Gafni, Merritt and
// Shavit, 1993, on snapshots by two equal collects). A place that does not count, such as a thread's own array, must
// come before those that it hands on to: what it held between the rounds is found there in the second, or has arrived
// behind it.
#pragma once

#include <cstdint>

namespace quiesce::detail {

struct collected {
    bool idle = true;
    std::uint64_t arrivals = 0;

    collected& operator+=(const collected& other) {
        idle = idle && other.idle;
        arrivals += other.arrivals;
        return *this;
    }
};

}  // namespace quiesce::detail
