// Definitions of basic_rcu_domain: reports of what does not get on.
#pragma once

#include "quiesce/rcu_domain.hpp"

namespace quiesce {

template <platform P>
void basic_rcu_domain<P>::look_for_stall(stall_notice& found) {
    if (!watch_.enabled() || (!watch_.look(gp_, found) && !watch_.look(frees_.limit_exceeded(), found))) {
        return;
    }
    found->report.domain = this;
    found->report.asked_for = std::max(found->report.grace_period, wanted_.load(std::memory_order_relaxed));
    handlers_.fetch_add(1, std::memory_order_relaxed);
    if (P::seeded(defect::stall_reported_under_the_lock)) {
        tell_of_stall(std::exchange(found, std::nullopt));
    }
}

template <platform P>
void basic_rcu_domain<P>::tell_of_stall(const stall_notice& found) {
    if (!found.has_value()) {
        return;
    }
    stall_report report = found->report;
    for (unsigned i = 0; i != report.reader_count; ++i) {
        report.readers[i].name = P::thread_name(report.readers[i].thread);
    }
    if (report.kind != stall_kind::readers_over) {
        add_backlog(report);
    }
    {
        const callback_scope scope(*this);
        // Without memory for that mark the thread's number takes its place, or a handler that replaces itself would
        // wait for itself. There is room for one; whoever finds it taken tells nobody until the next look.
        std::uint32_t nobody = 0;
        if (running_callbacks_.get() != nullptr) {
            found->handler(report, found->context);
        } else if (unmarked_handler_.compare_exchange_strong(nobody, P::thread_id(), std::memory_order_relaxed,
                                                             std::memory_order_relaxed)) {
            found->handler(report, found->context);
            unmarked_handler_.store(0, std::memory_order_relaxed);
        }
    }
    // [stl.3] release pairs with [stl.4].
    const auto order =
        P::seeded(defect::stall_handler_left_relaxed) ? std::memory_order_relaxed : std::memory_order_release;
    if (handlers_.fetch_sub(1, order) == 1) {
        P::wake(handlers_);
    }
}

template <platform P>
void basic_rcu_domain<P>::add_backlog(stall_report& report) {
    for (shard& s : shards_) {
        report.callbacks += s.queue.queued();
    }
    report.deferred = frees_.backlog();
    report.limit_exceeded = frees_.limit_exceeded();
    const large_usage large = frees_.large().usage();
    report.large_blocks = large.blocks;
    report.large_bytes = large.bytes;
    try {
        report.caches = caches();
        report.caches_listed = true;
    } catch (const std::bad_alloc&) {
        // Dropped: it is told without them.
    }
}

template <platform P>
void basic_rcu_domain<P>::report_stalls(const stall_options& options) {
    {
        const detail::lock_hold hold(gp_lock_);
        watch_.set(options);
    }
    const bool in_handler =
        running_callbacks_.get() != nullptr || unmarked_handler_.load(std::memory_order_relaxed) == P::thread_id();
    if (in_handler || P::seeded(defect::stall_handler_not_waited_for)) {
        return;
    }
    // [stl.4] acquire pairs with [stl.3]: what the handler did with its context is over.
    P::await(
        handlers_, [](std::uint32_t running) { return running == 0; }, std::memory_order_acquire);
}

}  // namespace quiesce
