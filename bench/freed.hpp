// Counts the objects that were freed, whichever threads free them.
#pragma once

#include <atomic>
#include <cstdint>

namespace quiesce::bench {

namespace detail {

struct alignas(64) counter {
    // Atomic because another thread reads it; only its own thread writes, so no read-modify-write is paid for.
    std::atomic<std::uint64_t> count{0};
    counter* next = nullptr;
};

inline constinit thread_local counter* own_counter = nullptr;
counter& new_counter();

}  // namespace detail

/// Called for each object where its memory is given back. It costs every library the same: about one store.
inline void count_freed() noexcept {
    detail::counter& c = detail::own_counter != nullptr ? *detail::own_counter : detail::new_counter();
    c.count.store(c.count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

/// Of all threads since the process started; exact for what happened before the call.
std::uint64_t freed();

}  // namespace quiesce::bench
