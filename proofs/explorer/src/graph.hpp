// An execution graph: events in the order in which they were inserted, reads-from, and the modification order of each
// location, with what follows from them kept beside each event.
//
// Events are added at the end of their thread and removed in reverse, so a whole path is searched with one graph. A
// backward revisit builds another graph out of the part of this one that it keeps.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include <quiesce/explorer.hpp>
#include "proofs/explorer/src/clocks.hpp"
#include "proofs/explorer/src/event.hpp"

namespace quiesce::explorer::detail {

class graph {
public:
    struct thread {
        event_id first = no_event;
        event_id last = no_event;
        std::uint16_t length = 0;
        /// The event that spawned it.
        event_id spawned_by = no_event;
        bool known = false;
    };

    graph(clock_pool& clocks, memory_model model) : clocks_(&clocks), model_(model) {}

    void clear();
    /// Adds the event that each execution begins with.
    void start();
    /// Makes this the part of `from` that stays when the write revisits the read: the events up to the read, the write
    /// and what is in its prefix. `map` is given each event's new id.
    void assign(const graph& from, event_id read, event_id write, std::vector<event_id>& map);

    unsigned size() const { return static_cast<unsigned>(events_.size()); }
    event& at(event_id e) { return events_[static_cast<std::size_t>(e)]; }
    const event& at(event_id e) const { return events_[static_cast<std::size_t>(e)]; }
    const std::vector<thread>& threads() const { return threads_; }
    const thread& of(unsigned t) const { return threads_[t]; }
    void know_thread(unsigned t);
    const std::vector<event_id>& modification_order(std::uint32_t location) const { return order_of_[location]; }
    /// The threads, as bits, that end with a read-modify-write of which only the read is there.
    std::uint64_t unfinished_updates() const { return unfinished_updates_; }
    event_id newest(std::uint32_t location) const {
        return location < order_of_.size() && !order_of_[location].empty() ? order_of_[location].back() : no_event;
    }
    /// Calls `visit` with the last access to the location of each thread that has one, as long as it returns true;
    /// returns whether it did for all.
    template <class Visit>
    bool for_last_accesses(std::uint32_t location, Visit visit) const {
        std::uint64_t left = location < accessed_by_.size() ? accessed_by_[location] : 0;
        const event_id* const last = last_access_.data() + static_cast<std::size_t>(location) * stride_;
        for (; left != 0; left &= left - 1) {
            if (!visit(last[std::countr_zero(left)])) {
                return false;
            }
        }
        return true;
    }

    /// Adds an event of which only the place is known: its thread's next. Then `fill` says what it is, in an order that
    /// extends program order and reads-from, and `finish_filling` when all are.
    event_id append_hollow(unsigned t, event_kind kind);
    void note_spawn(event_id spawn);
    void fill(event_id e, const request& asked);
    void finish_filling();

    /// Adds an event at the end of a thread, as yet without a source, place or value. The id is `size() - 1` then.
    event_id append(unsigned t, const request& asked, event_kind kind);
    /// Completes an event that reads and writes nothing.
    void finish_plain(event_id e);
    /// Removes events from the end until there are `size`.
    void shrink(unsigned size);

    /// The first place in modification order from which the read may read.
    unsigned first_readable(event_id read) const;
    /// The first place at which a write that is not there yet may stand for the read to read it.
    unsigned first_readable_place(event_id read) const { return static_cast<unsigned>(bound(at(read)) + 1); }
    /// The first place at which the write may stand.
    unsigned first_place(event_id write) const;
    /// Whether a write that is put at the place comes between a read-modify-write and what it read.
    bool splits_update(std::uint32_t location, unsigned position) const;
    /// The write, if it has its place, of a read-modify-write that has read the same; or no_event.
    event_id rival_of(event_id read) const;

    /// What an operation would read from the write.
    std::uint64_t value_of(event_id write, const request& asked) const {
        return write == 0 ? asked.initial : at(write).value;
    }
    void set_source(event_id read, event_id write, bool spurious);
    void clear_source(event_id read);
    void set_value(event_id write, std::uint64_t value);
    void set_place(event_id write, unsigned position);
    void clear_place(event_id write);

    /// What comes before an event through program order, reads-from, spawn and join; until the graph is changed.
    class prefix {
    public:
        prefix(const event& of, const clock_pool& clocks)
            : counts_(clocks.row(of.prefix)), thread_(of.thread), index_(of.index) {}
        bool has(const event& e) const { return e.index < (e.thread == thread_ ? index_ : counts_[e.thread]); }

    private:
        const clock_pool::count* counts_;
        std::uint16_t thread_;
        std::uint16_t index_;
    };
    prefix prefix_of(event_id e) const { return {at(e), *clocks_}; }
    bool in_prefix(event_id e, event_id of) const { return prefix_of(of).has(at(e)); }
    bool happens_before(event_id a, event_id b) const;
    /// Whether what is demanded of sequentially consistent events holds, where it did without this event, the newest of
    /// its thread. A new event that nothing must follow, since it writes or reads the newest value, breaks nothing.
    bool remains_seq_cst(event_id e) const;
    /// An earlier access with which this one, the newest of its thread, races; or no_event.
    event_id race_with(event_id e) const;
    /// The events that free memory.
    const std::vector<event_id>& frees() const { return frees_; }
    /// An access to the location that does not happen before the event, or no_event.
    event_id access_not_before(event_id e, std::uint32_t location) const;
    /// Of the events of each thread with their values, reads-from and modification order, whatever the order of
    /// insertion.
    std::uint64_t hash() const;
    /// Whether any two accesses race.
    bool has_race() const;
    /// Whether the event was added maximally with respect to a write, whose prefix is given too.
    bool added_maximally(event_id e, event_id write, const prefix& of_write) const;

private:
    order in_model(order asked) const;
    void begin_clocks(event& e);
    void begin_thread(event& e);
    void end_thread_with(event& e, event_id id);
    void make_room_for(std::uint32_t location) {
        if (order_of_.size() <= location) {
            make_room(location + std::size_t{1});
        }
    }
    void make_room(std::size_t locations);
    void enlist(event& e, event_id id);
    void add_to_lists(const event& e, event_id id);
    static std::uint64_t bit_of(const event& e) { return std::uint64_t{1} << e.thread; }
    bool race(const event& a, const event& b) const;
    bool before(clock_id c, const event& x) const { return x.index < clocks_->of(c, x.thread); }
    std::uint32_t position(const event& e) const {
        return static_cast<std::uint32_t>(e.is_write() ? e.place : at(e.reads_from).place);
    }
    int bound(const event& e) const;
    void finish_read(event& e);
    clock_id own(clock_id c, const event& e) { return clocks_->with(c, e.thread, e.index + 1U); }
    /// As `own(c, e)` joined to another clock.
    clock_id join_own(clock_id with, clock_id c, const event& e) {
        return clocks_->join(with, c, e.thread, e.index + 1U);
    }

    // In seq_cst.cpp.
    bool interleaves(event_id e) const;
    bool orders_seq_cst() const;
    /// Of the accesses of a location on one side of a fence: the extreme places of those that write and that read.
    struct extremes {
        std::int32_t write;
        std::int32_t read;
    };
    void earliest_after(event_id fence, std::vector<extremes>& by_location) const;
    void latest_before(event_id fence, std::vector<extremes>& by_location) const;
    bool fences_ordered(event_id a, event_id b, const extremes* after_a, const extremes* before_b) const;
    bool must_come_before(event_id a, event_id b) const;
    bool extended_coherence(event_id a, event_id b) const;
    bool strongly_before(event_id a, event_id b) const;
    bool step(event_id a, event_id b) const;
    event_id first_elsewhere_after(event_id a) const;
    event_id last_elsewhere_before(event_id b) const;

    clock_pool* clocks_;
    memory_model model_;
    std::vector<event> events_;
    std::vector<thread> threads_;
    std::vector<std::vector<event_id>> order_of_;
    /// By location and thread; and by location the threads, as bits, that have one.
    std::vector<event_id> last_access_;
    std::vector<std::uint64_t> accessed_by_;
    unsigned stride_ = 8;
    std::vector<event_id> seq_cst_;
    std::uint64_t unfinished_updates_ = 0;
    std::vector<event_id> frees_;
    /// Non-atomic accesses, by location.
    std::vector<std::vector<event_id>> non_atomic_;
};

inline void graph::end_thread_with(event& e, event_id id) {
    thread& own_thread = threads_[e.thread];
    e.index = own_thread.length++;
    e.previous = own_thread.last;
    e.next = no_event;
    (e.previous == no_event ? own_thread.first : at(e.previous).next) = id;
    own_thread.last = id;
}

// Lists it with what it belongs to; for an access there is room.
inline void graph::enlist(event& e, event_id id) {
    if (e.is_access()) {
        const std::size_t slot = static_cast<std::size_t>(e.location) * stride_ + e.thread;
        e.previous_access = last_access_[slot];
        last_access_[slot] = id;
        accessed_by_[e.location] |= bit_of(e);
    }
    // Most events are in none of the lists.
    if (e.asked.has_initial || e.ordering == order::non_atomic || e.is_seq_cst() || e.kind == event_kind::free) {
        add_to_lists(e, id);
    }
}

}  // namespace quiesce::explorer::detail
