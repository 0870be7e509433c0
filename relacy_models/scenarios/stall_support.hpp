// What the scenarios of stall reports share.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

/// A domain whose stalls are told to this. The time-out is two: a look after one notes who is in the way, a look after
/// another tells of them.
template <class P>
struct watched_domain {
    static constexpr unsigned half_of_timeout = 1;

    basic_rcu_domain<P> domain;
    /// Of the thread that looks.
    unsigned told = 0;
    std::uint32_t named = 0;

    watched_domain() { domain.report_stalls({2 * half_of_timeout, &hear, this, {}}); }

    static void hear(const stall_report& r, void* self) noexcept {
        auto* const w = static_cast<watched_domain*>(self);
        ++w->told;
        w->named = r.reader_count == 0 ? 0 : r.readers[0].thread;
    }

    step_result look_later() {
        P::let_time_pass(half_of_timeout);
        return domain.advance_grace_period();
    }
};

}  // namespace quiesce::models
