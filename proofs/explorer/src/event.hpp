// An event of an execution graph.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "proofs/explorer/src/clocks.hpp"

namespace quiesce::explorer::detail {

/// The position of an event in the order of insertion.
using event_id = std::int32_t;
inline constexpr event_id no_event = -1;

/// The first event of all is the start: it writes the values that locations have from the start.
enum class event_kind : std::uint8_t { read, write, fence, spawn, join, choice, free, start };

/// The last three are no atomic operations to the program: see `detail::order_silent` and those beside it.
enum class order : std::uint8_t {
    non_atomic,
    relaxed,
    acquire,
    release,
    acq_rel,
    seq_cst,
    light,
    heavy,
    silent,
    announcing,
    from_head
};

constexpr bool acquires(order o) {
    return o == order::acquire || o == order::acq_rel || o == order::seq_cst;
}
constexpr bool releases(order o) {
    return o == order::release || o == order::acq_rel || o == order::seq_cst || o == order::announcing;
}
/// Whether fences and the models' own rules apply to it.
constexpr bool is_atomic(order o) {
    return o != order::non_atomic && o < order::silent;
}

/// What a read-modify-write makes of the value that it reads.
using update_function = std::uint64_t (*)(std::uint64_t old, std::uint64_t operand);

/// What an await waits for: whether the value satisfies a predicate with these captured bytes.
struct predicate {
    bool (*holds)(const void* captured, std::uint64_t value) = nullptr;
    alignas(8) unsigned char captured[16] = {};

    explicit operator bool() const { return holds != nullptr; }
    bool operator()(std::uint64_t value) const { return holds(captured, value); }
};

/// What an operation asks for. It stays with its read, which is decided anew whenever it reads from another write.
struct request {
    event_kind kind = event_kind::read;
    order success = order::relaxed;
    /// Of a compare-exchange that fails.
    order failure = order::relaxed;
    /// May fail although the value matches.
    bool is_weak = false;
    std::uint32_t location = 0;
    /// What is stored or expected; the number of a choice's alternatives; the thread that is spawned or joined; the
    /// address that is freed.
    std::uint64_t operand = 0;
    /// What a compare-exchange stores; the bytes that are freed.
    std::uint64_t desired = 0;
    std::uint64_t initial = 0;
    /// Set in a read-modify-write.
    update_function update = nullptr;
    predicate awaited;
    bool is_compare_exchange = false;
    /// Waiting for ever is no deadlock.
    bool is_timed = false;
    /// Its location is one where threads wait, and 0 from the start.
    bool is_of_waiters = false;
    /// Its location has a value from the start.
    bool has_initial = false;
    /// Sees what happens before the notifications that the event before it in its thread has read, or the releases of
    /// its release sequence: without happening after them.
    bool after_enlisting = false;
    /// Where in the program.
    unsigned line = 0;
    const char* file = "";

    /// Whether it asks for the same, wherever it stands. The captures of an await may be padded.
    bool is_same(const request& other) const;
};

// Every operation of every run asks, so what counts stands together, without padding, and is compared at once.
inline bool request::is_same(const request& other) const {
    constexpr std::size_t what_counts = offsetof(request, awaited.captured);
    static_assert(what_counts == 2 * sizeof(event_kind) + 2 * sizeof(order) + sizeof(location) + sizeof(operand) +
                                     sizeof(desired) + sizeof(initial) + sizeof(update) + sizeof(awaited.holds));
    return std::memcmp(this, &other, what_counts) == 0;
}

struct event {
    request asked;
    event_kind kind = event_kind::read;
    order ordering = order::relaxed;
    /// A read whose write half follows, or that write.
    bool is_update = false;
    /// A read that did not find what it awaits: its thread is blocked.
    bool is_unsatisfied = false;
    /// A weak compare-exchange that failed although the value matched.
    bool is_spurious = false;
    std::uint16_t thread = 0;
    /// The number of events of its thread before it.
    std::uint16_t index = 0;
    std::uint32_t location = 0;
    /// Read or written; the chosen alternative.
    std::uint64_t value = 0;

    event_id reads_from = no_event;
    /// The events before and after it in its thread, and the access before it of its thread to its location.
    event_id previous = no_event;
    event_id next = no_event;
    event_id previous_access = no_event;
    /// The reads of a write, newest first, linked through `next_reader`.
    event_id first_reader = no_event;
    event_id next_reader = no_event;
    /// Of a write: its place in the modification order; -1 while it has none.
    std::int32_t place = -1;

    /// What happens before it, and what comes before it through program order, reads-from, spawn and join; but for its
    /// own thread, of which that is what came earlier.
    clock_id happens_before = 0;
    clock_id prefix = 0;
    /// What its thread's fences released so far, by the fences that may acquire it, and what it read that a later fence
    /// may acquire.
    clock_id fence_released = 0;
    clock_id fence_released_light = 0;
    clock_id fence_released_heavy = 0;
    clock_id acquirable = 0;
    clock_id acquirable_by_heavy = 0;
    clock_id acquirable_by_light = 0;
    /// Of a write: what whoever reads it may acquire.
    clock_id released = 0;
    clock_id released_light = 0;
    clock_id released_heavy = 0;
    /// The clocks that were there before it, and after.
    std::uint32_t clocks_before = 0;
    std::uint32_t clocks_after = 0;

    bool is_access() const { return kind == event_kind::read || kind == event_kind::write; }
    bool is_read() const { return kind == event_kind::read; }
    bool is_write() const { return kind == event_kind::write; }
    /// Woken by a notification, after which the object that was waited at may be destroyed, [thread.condition.condvar].
    bool is_wake_up() const {
        return is_read() && asked.is_of_waiters && asked.awaited && asked.update == nullptr && !is_unsatisfied;
    }
    bool is_seq_cst() const {
        return ordering == order::seq_cst || ordering == order::light || ordering == order::heavy;
    }
};

}  // namespace quiesce::explorer::detail
