// Two reports come at the same time, and one later.
#pragma once

#include "quiesce/detail/rate_limit.hpp"
#include "relacy_models/scenario.hpp"

namespace quiesce::models {

template <class P>
struct reports_are_printed_apart {
    static constexpr defect_info defects[] = {
        {defect::print_limit_starts_closed, "print_limit_starts_closed", "", "assertion",
         "Linux, lib/ratelimit.c, on the begin of the first interval", "the first report is left out, like all others",
         "1"},
        {defect::print_limit_in_two_steps, "print_limit_in_two_steps", "", "assertion",
         "Linux, lib/ratelimit.c, on its lock", "whether the limit is open is read, and that it is closed stored later",
         "1"},
    };
    static constexpr std::string_view must_reach[] = {"one was left out"};
    static constexpr scenario_info info{"reports_are_printed_apart",
                                        "of reports that come within the interval one is printed, and the next says "
                                        "how many were not",
                                        "C11",
                                        2,
                                        defects,
                                        must_reach,
                                        true,
                                        2,
                                        "1"};

    static constexpr std::uint64_t interval = 10;

    detail::rate_limit<P> limit;
    bool printed[2] = {};
    std::uint64_t said[2] = {};

    void thread(unsigned i) {
        if (const auto left_out = limit.admit(5 + i, interval); left_out.has_value()) {
            printed[i] = true;
            said[i] = *left_out;
        }
    }

    void finish() {
        P::check(printed[0] != printed[1], "not exactly one of two reports was printed");
        const auto left_out = limit.admit(5 + interval + 1, interval);
        P::check(left_out.has_value(), "a report was left out after the interval");
        if (left_out == 1) {
            P::reached("one was left out");
        }
        P::check(left_out.value_or(0) + said[0] + said[1] == 1, "a report was left out, and nothing says so");
        P::check(!limit.admit(5 + 2 * interval, interval).has_value(), "two reports were printed within the interval");
    }
};

}  // namespace quiesce::models
