// Graphs that do not come event by event: a part of another one, and what is made of a shape.
#include <algorithm>
#include <numeric>
#include <utility>

#include "proofs/explorer/src/graph.hpp"

namespace quiesce::explorer::detail {

void graph::assign(const graph& from, event_id read, event_id write, std::vector<event_id>& map) {
    clear();
    stride_ = from.stride_;
    make_room(std::max(order_of_.size(), from.order_of_.size()));
    for (std::size_t t = 0; t != from.threads_.size(); ++t) {
        if (from.threads_[t].known) {
            threads_.resize(t + 1);
            threads_[t].known = true;
        }
    }
    // Those up to the read keep their ids.
    events_.assign(from.events_.begin(), from.events_.begin() + read + 1);
    map.resize(from.size());
    std::iota(map.begin(), map.begin() + read + 1, 0);
    std::fill(map.begin() + read + 1, map.end(), no_event);
    const prefix before = from.prefix_of(write);
    for (event_id e = read + 1; e <= write; ++e) {
        if (e == write || before.has(from.at(e))) {
            map[static_cast<std::size_t>(e)] = static_cast<event_id>(size());
            events_.push_back(from.at(e));
        }
    }
    const auto mapped = [&map](event_id e) { return map[static_cast<std::size_t>(e)]; };
    for (event& e : events_) {
        e.first_reader = no_event;
        e.place = -1;
    }
    // The start has its place also where nobody has looked yet.
    at(0).place = 0;
    for (event_id id = 0; id != static_cast<event_id>(size()); ++id) {
        event& e = at(id);
        end_thread_with(e, id);
        enlist(e, id);
        if (e.kind == event_kind::spawn) {
            threads_[e.asked.operand].spawned_by = id;
        }
        if (e.is_read() && e.reads_from != no_event) {
            e.reads_from = mapped(e.reads_from);
            e.next_reader = std::exchange(at(e.reads_from).first_reader, id);
        }
        // A read is completed by its write, which is the next event of its thread.
        if (e.is_update) {
            unfinished_updates_ ^= bit_of(e);
        }
    }
    for (std::size_t x = 0; x != from.order_of_.size(); ++x) {
        order_of_[x].clear();
        for (const event_id w : from.order_of_[x]) {
            // Every location of a kept event is there.
            if (const event_id kept = mapped(w); kept != no_event && from.at(w).place >= 0) {
                at(kept).place = static_cast<std::int32_t>(order_of_[x].size());
                order_of_[x].push_back(kept);
            }
        }
    }
}

event_id graph::append_hollow(unsigned t, event_kind kind) {
    const auto id = static_cast<event_id>(events_.size());
    know_thread(t);
    event& e = events_.emplace_back();
    e.kind = kind;
    e.thread = static_cast<std::uint16_t>(t);
    end_thread_with(e, id);
    return id;
}

void graph::fill(event_id id, const request& asked) {
    event& e = at(id);
    e.asked = asked;
    e.ordering = e.kind == event_kind::fence ? asked.success : in_model(asked.success);
    e.location = asked.location;
    begin_clocks(e);
    switch (e.kind) {
        case event_kind::read:
            if (e.reads_from != no_event) {
                set_source(id, e.reads_from, e.is_spurious);
            } else {
                e.is_unsatisfied = true;
            }
            break;
        case event_kind::write:
            if (!e.is_update) {
                set_value(id, asked.operand);
            } else if (const event& read = at(e.previous); asked.is_compare_exchange) {
                set_value(id, asked.desired);
            } else {
                set_value(id, asked.update(read.value, asked.operand));
            }
            break;
        default: finish_plain(id);
    }
}

void graph::finish_filling() {
    seq_cst_.clear();
    for (event_id id = 0; id != static_cast<event_id>(events_.size()); ++id) {
        event& e = at(id);
        // None of these is ever taken away.
        e.clocks_before = e.clocks_after = clocks_->mark();
        make_room_for(e.location);
        enlist(e, id);
        if (e.is_write() && e.place >= 0) {
            std::vector<event_id>& writes = order_of_[e.location];
            writes.resize(std::max(writes.size(), static_cast<std::size_t>(e.place) + 1), no_event);
            writes[static_cast<std::size_t>(e.place)] = id;
        }
    }
}

}  // namespace quiesce::explorer::detail
