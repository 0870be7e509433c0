// Misuse reports.
//
// The core detects a call that breaks its contract where detection is cheap (and, with QUIESCE_CHECKED, where it costs
// something) and hands a report to a process-wide handler. The default handler prints the report and aborts. When a
// handler of the user's returns instead, the offending call does nothing.
#pragma once

#include <cstdint>
#include <string_view>

namespace quiesce {

enum class misuse : std::uint8_t {
    synchronize_in_section,
    synchronize_in_callback,
    barrier_in_section,
    barrier_in_callback,
    unlock_without_lock,
    thread_exit_in_section,
    double_retire,
    domain_destroyed_with_callbacks,
    domain_destroyed_with_frees,
    free_rcu_in_section,
    too_many_domains,
};

/// A misuse in one sentence, without a trailing full stop.
constexpr std::string_view describe(misuse m) noexcept {
    switch (m) {
        case misuse::synchronize_in_section:
            return "waiting for a grace period inside a read-side critical section of the same domain never returns";
        case misuse::synchronize_in_callback: return "waiting for a grace period inside a callback never returns";
        case misuse::barrier_in_section: return "rcu_barrier inside a read-side critical section never returns";
        case misuse::barrier_in_callback: return "rcu_barrier inside a callback waits for itself";
        case misuse::unlock_without_lock:
            return "a read-side critical section was ended that this thread had not begun";
        case misuse::thread_exit_in_section: return "a thread ended inside a read-side critical section";
        case misuse::double_retire: return "an object was retired that had been retired before";
        case misuse::domain_destroyed_with_callbacks: return "a domain was destroyed while callbacks were queued on it";
        case misuse::domain_destroyed_with_frees:
            return "a domain was destroyed while objects were waiting in it to be freed";
        case misuse::free_rcu_in_section:
            return "free_rcu of an object without an embedded head may wait for a grace period, so not inside a "
                   "section";
        case misuse::too_many_domains: return "more domains exist at once than a thread has slots for";
    }
    return "unknown misuse";
}

/// What a handler is told.
struct misuse_report {
    misuse kind;
    /// The public call that detected it, for example "rcu_synchronize".
    std::string_view call;
    /// The object concerned (domain, cache or retired object); may be null.
    const void* subject = nullptr;
};

using report_handler = void (*)(const misuse_report&);

/// Installs `handler` for the whole process and returns the previous one; null restores the default, which prints to
/// standard error and aborts. Does not block. May be called from any thread; reports under way use either handler.
report_handler set_report_handler(report_handler handler) noexcept;

}  // namespace quiesce
