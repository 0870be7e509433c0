// How often something may happen at most, and how often it was not let.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "quiesce/platform.hpp"

namespace quiesce::detail {

/// Without a lock, so that a forked child finds it as it must be.
template <class P>
class rate_limit {
public:
    constexpr rate_limit() {
        P::name(closed_until_, "limit.closed_until");
        P::name(refused_, "limit.refused");
    }

    /// Whether it may happen now. If so, how many were refused that nobody has told of yet, and no other may for the
    /// given time. Of callers that come at once one may. Does not block.
    std::optional<std::uint64_t> admit(std::uint64_t now, std::uint64_t interval) {
        // Relaxed, all of it: the numbers order nothing else.
        std::uint64_t until = closed_until_.load(std::memory_order_relaxed);
        bool mine = now >= until;
        if (mine && P::seeded(defect::print_limit_in_two_steps)) {
            closed_until_.store(now + interval, std::memory_order_relaxed);
        } else if (mine) {
            mine = closed_until_.compare_exchange_strong(until, now + interval, std::memory_order_relaxed,
                                                         std::memory_order_relaxed);
        }
        if (!mine) {
            refused_.fetch_add(1, std::memory_order_relaxed);
            return std::nullopt;
        }
        return refused_.exchange(0, std::memory_order_relaxed);
    }

private:
    // Open from the beginning: a clock may not have come far.
    typename P::template atomic<std::uint64_t> closed_until_{
        P::seeded(defect::print_limit_starts_closed) ? std::uint64_t(-1) : 0};
    typename P::template atomic<std::uint64_t> refused_{0};
};

}  // namespace quiesce::detail
