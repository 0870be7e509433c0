// Misuse reports.
//
// The core detects a call that breaks its contract where detection is cheap (and, with QUIESCE_CHECKED, where it costs
// something) and hands a report to a process-wide handler. The default handler prints the report and aborts. When a
// handler of the user's returns instead, the offending call does nothing. A handler must not throw.
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
    domain_destroyed_with_caches,
    double_free,
    free_into_wrong_cache,
    allocate_after_destroy,
    written_after_free,
    destroy_in_section,
    destroy_in_callback,
    fork_in_section,
    fork_in_callback,
    free_of_unknown_address,
    domain_destroyed_with_large_blocks,
    /// A fault of the library: destroy lost objects that were given back.
    objects_lost_at_destroy,
    free_after_destroy,
    /// A fault of the library: what core/README.md says of its own state does not hold. The call is the invariant's
    /// number.
    broken_invariant,
    quiescent_point_in_section,
    quiescent_point_in_callback,
    wait_without_end,
    /// A fault of the library.
    freed_to_wrong_allocator,
    /// Not misuse: objects of a destroyed cache that nobody has freed yet, and may still.
    objects_held_at_destroy,
};

/// A misuse in one sentence, without a trailing full stop.
constexpr const char* describe(misuse m) noexcept {
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
        case misuse::domain_destroyed_with_caches: return "a domain was destroyed before its caches had ended";
        case misuse::double_free: return "an object was freed that was not allocated, or had been freed before";
        case misuse::free_into_wrong_cache: return "an object was freed into a cache that it does not come from";
        case misuse::allocate_after_destroy: return "an object was allocated from a destroyed cache";
        case misuse::written_after_free: return "an object was written to after it had been freed";
        case misuse::destroy_in_section:
            return "destroying a cache and waiting for its end inside a read-side critical section never returns";
        case misuse::destroy_in_callback:
            return "destroying a cache and waiting for its end inside a callback waits for itself";
        case misuse::fork_in_section: return "a process was forked inside a read-side critical section";
        case misuse::fork_in_callback: return "a process was forked inside a callback";
        case misuse::free_of_unknown_address:
            return "an address was freed that is neither an object of a cache of the domain nor a large block of it";
        case misuse::domain_destroyed_with_large_blocks:
            return "a domain was destroyed while large blocks of it were allocated";
        case misuse::objects_lost_at_destroy:
            return "at the end of a staged cache, objects that were given back are not in their slabs";
        case misuse::free_after_destroy: return "an object was freed into a cache that is destroyed";
        case misuse::broken_invariant: return "an invariant of the library does not hold, which is a fault of its own";
        case misuse::quiescent_point_in_section:
            return "a read-side critical section is open, so this is no quiescent point";
        case misuse::quiescent_point_in_callback:
            return "a quiescent point inside a callback would run callbacks in it";
        case misuse::wait_without_end:
            return "in a domain of one thread, a wait for what nothing that is deferred brings about never returns";
        case misuse::freed_to_wrong_allocator: return "a large block was freed to the allocator of small objects";
        case misuse::objects_held_at_destroy: return "a cache was destroyed while objects of it were held";
    }
    return "unknown misuse";
}

/// Whether the default handler ends the process.
constexpr bool is_fatal(misuse m) noexcept {
    return m != misuse::objects_held_at_destroy;
}

/// Where objects were allocated, and how many at each place; the first places found.
struct allocation_sites {
    static constexpr unsigned most = 8;
    struct site {
        /// A code address inside the calling function.
        const void* address = nullptr;
        std::uint64_t objects = 0;
    };
    site found[most];
    unsigned count = 0;
    /// Objects allocated at other places.
    std::uint64_t others = 0;

    constexpr void add(const void* address) noexcept {
        for (unsigned i = 0; i != count; ++i) {
            if (found[i].address == address) {
                ++found[i].objects;
                return;
            }
        }
        if (count == most) {
            ++others;
            return;
        }
        found[count++] = {address, 1};
    }
};

/// What a handler is told.
struct misuse_report {
    misuse kind;
    /// The public call that detected it, for example "rcu_synchronize".
    std::string_view call;
    /// The object concerned (domain, cache or retired object); may be null.
    const void* subject = nullptr;
    /// The cache concerned, by name; empty when there is none.
    std::string_view cache = {};
    /// Of objects_held_at_destroy: how many, and, in checked builds, where they were allocated.
    std::uint64_t objects = 0;
    allocation_sites sites = {};
};

using report_handler = void (*)(const misuse_report&);

/// Installs `handler` for the whole process and returns the previous one; null restores the default, which prints to
/// standard error and aborts. Does not block. May be called from any thread; reports under way use either handler, so
/// code of one that was replaced is not unloaded before they are over.
report_handler set_report_handler(report_handler handler) noexcept;

}  // namespace quiesce
