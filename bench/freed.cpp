#include "bench/freed.hpp"

namespace quiesce::bench {

namespace {

constinit std::atomic<detail::counter*> counters{nullptr};

}  // namespace

detail::counter& detail::new_counter() {
    // Never deleted: what a thread has freed counts after its end too.
    own_counter = new counter;
    own_counter->next = counters.load(std::memory_order_relaxed);
    while (!counters.compare_exchange_weak(own_counter->next, own_counter, std::memory_order_release,
                                           std::memory_order_relaxed)) {
    }
    return *own_counter;
}

std::uint64_t freed() {
    std::uint64_t sum = 0;
    for (const detail::counter* c = counters.load(std::memory_order_acquire); c != nullptr; c = c->next) {
        sum += c->count.load(std::memory_order_relaxed);
    }
    return sum;
}

}  // namespace quiesce::bench
