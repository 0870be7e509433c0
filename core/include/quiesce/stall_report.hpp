// Reports of what does not get on: readers that do not end, and frees that run ahead of the driver.
//
// A section that does not end holds back every grace period of its domain, and with it whatever waits there. Nothing is
// wrong yet that the core could put right, so it tells: which threads, since when, and what piles up behind them.
// Whoever takes the steps of grace periods looks: the driver, a thread that waits for a grace period, or who calls the
// steps. No thread and no timer is added, and readers do nothing for it, not even note the time.
//
//     domain.report_stalls({.after_ms = 2'000, .handler = [](const quiesce::stall_report& r, void*) noexcept {
//         log(quiesce::describe(r));
//     }});
//
// Guarantees: a reader that is named was in one and the same section from `for_ms` ago, when it was first found in the
// way, until it was looked at; it may have left since. While somebody takes steps, a reader that stays is named when
// its grace period is as old as the time-out, or half as old again where it came to be in the way late, and then each
// time that the age has trebled. That it is over is told once, when the grace period ends.
//
// What it does not do: it does not look where nobody takes steps, nor at callbacks that do not return.
//
// Source: the stall warnings of the Linux kernel, Documentation/RCU/stallwarn.rst, for the time-out, for naming who is
// in the way, and for longer intervals once it has been said.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "quiesce/cache_options.hpp"

namespace quiesce {

/// A thread's name, as the system keeps it; empty where it is not known.
struct thread_label {
    char text[16] = {};
};

enum class stall_kind : std::uint8_t {
    /// A grace period waits for readers for longer than the time-out.
    readers,
    /// A grace period of which that was said is over.
    readers_over,
    /// Frees have exceeded the backlog's limit, because the producer could not be slowed down (long enough).
    backlog,
};

/// A reader that a grace period waits for.
struct stalled_reader {
    /// The kernel's number of the thread, as gettid(2), and its name now, or empty.
    std::uint32_t thread = 0;
    thread_label name = {};
    /// How many grace periods have begun, this one included, since the newest that the thread knew of when it entered
    /// the section: it learnt of that when it entered the section before, so this is an upper bound for the section.
    std::uint64_t behind = 0;
    /// For how long at least the thread has been in the section, in milliseconds.
    std::uint64_t for_ms = 0;
};

/// What a handler is told. Of `backlog` there are no readers, and no grace period where none is under way.
struct stall_report {
    /// Readers that are named; the others are counted.
    static constexpr unsigned most_readers = 16;

    stall_kind kind = stall_kind::readers;
    /// The domain, and what its options call it.
    const void* domain = nullptr;
    std::string_view domain_name = {};

    /// The grace period, the newest that somebody waits for (at most one later, since they share), when it was first
    /// found under way (milliseconds of std::chrono::steady_clock) and how long it has been.
    std::uint64_t grace_period = 0;
    std::uint64_t asked_for = 0;
    std::uint64_t began_ms = 0;
    std::uint64_t waited_ms = 0;
    stalled_reader readers[most_readers] = {};
    unsigned reader_count = 0;
    std::uint64_t other_readers = 0;

    // What has piled up; not of `readers_over`. A snapshot, somewhat later.

    /// Callbacks that are queued or running, those of barriers included.
    std::uint64_t callbacks = 0;
    /// Objects that threads have handed over to be freed and that are not freed; how often the limit was exceeded.
    std::uint64_t deferred = 0;
    std::uint64_t limit_exceeded = 0;
    /// Large blocks that are allocated or in flight.
    std::uint64_t large_blocks = 0;
    std::uint64_t large_bytes = 0;
    /// The caches of the domain; empty, and not `caches_listed`, where there was no memory for the list.
    std::vector<cache_usage> caches = {};
    bool caches_listed = false;
};

/// Is called by whoever took the step: the domain's driver, or a thread that waits for a grace period, with whatever
/// locks that thread holds of its own, and none of the core that a callback could need. It counts as a callback of the
/// domain: it may allocate, free, defer, list caches and replace itself; to wait for a grace period in it is misuse.
/// Two may run at once. It cannot throw. It must not take a lock that somebody holds who waits for a grace period or
/// replaces the handler.
using stall_handler = void (*)(const stall_report& report, void* context) noexcept;

struct stall_options {
    /// Milliseconds for which a grace period may wait for readers before it is reported; 0 for no reports at all.
    unsigned after_ms = 0;
    /// Null for the default, which prints to standard error, at most once in `limits::stall_print_interval_ms` for each
    /// kind.
    stall_handler handler = nullptr;
    void* context = nullptr;
    /// What reports call the domain; must stay.
    std::string_view domain_name = {};
};

/// The report as lines of text, each with its line end. Throws std::bad_alloc.
std::string describe(const stall_report& report);

/// Sets how far apart at least, in milliseconds, two reports of one kind are that the default handler prints, over all
/// domains of the process; returns what was set before. What it leaves out it counts, and says in the next. Does not
/// block.
unsigned set_stall_print_interval(unsigned milliseconds) noexcept;

}  // namespace quiesce
