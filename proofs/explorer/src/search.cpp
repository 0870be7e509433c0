// The search over execution graphs: what an event's alternatives are, and which comes next.
#include <algorithm>
#include <bit>

#include "proofs/explorer/src/engine.hpp"

namespace quiesce::explorer::detail {

bool engine::extend(unsigned t) {
    const request& asked = *fibers_[t].pending;
    switch (asked.kind) {
        case event_kind::read: return add_read(t, asked);
        case event_kind::write: return add_write(t, asked, asked.operand, false);
        default: return add_other(t, asked);
    }
}

bool engine::add_other(unsigned t, const request& asked) {
    const event_id e = g().append(t, asked, asked.kind);
    if (asked.kind == event_kind::choice) {
        if (is_random()) {
            g().at(e).value = random_below(asked.operand);
        } else {
            frames_.push_back(
                {.kind = frame_kind::choice, .event = e, .next = 1, .end = static_cast<std::uint32_t>(asked.operand)});
        }
    }
    g().finish_plain(e);
    return asked.kind != event_kind::free || tolerates_free(e);
}

bool engine::add_read(unsigned t, const request& asked) {
    const event_id e = g().append(t, asked, event_kind::read);
    const std::vector<event_id>& writes = g().modification_order(asked.location);
    const auto first = static_cast<std::uint32_t>(candidates_.size());
    const unsigned oldest = g().first_readable(e);
    for (std::size_t i = writes.size(); i-- != oldest;) {
        const std::uint64_t value = g().value_of(writes[i], asked);
        // The newest whatever its value: it is what a deadlock reads, and what a later write revisits.
        if (asked.awaited && (through_orders() || i + 1 != writes.size()) && !asked.awaited(value)) {
            continue;
        }
        candidates_.push_back({writes[i], false});
        if (asked.is_weak && value == asked.operand && may_fail_spuriously(e)) {
            candidates_.push_back({writes[i], true});
        }
    }
    if (first == candidates_.size()) {
        // A write that comes later may still revisit it.
        g().at(e).is_unsatisfied = true;
        assumption_failed_ = true;
        reads_nothing(asked);
        return how_.keep_going;
    }
    frames_.push_back({.kind = frame_kind::read,
                       .event = e,
                       .next = first,
                       .end = static_cast<std::uint32_t>(candidates_.size()),
                       .first_candidate = first});
    return is_random() ? pick_read(frames_.size() - 1) : next_read(frames_.size() - 1);
}

// It depends only on what its thread did before, so on nothing that a revisit takes away.
bool engine::may_fail_spuriously(event_id read) const {
    const graph& now = *graphs_[depth_];
    unsigned failures = 0;
    for (event_id e = now.at(read).previous; e != no_event; e = now.at(e).previous) {
        failures += now.at(e).is_spurious ? 1U : 0U;
    }
    return failures < how_.spurious_failures;
}

bool engine::next_read(std::size_t frame_index) {
    frame& f = frames_[frame_index];
    const event_id e = f.event;
    const candidate c = candidates_[f.next++];
    g().clear_source(e);
    g().set_source(e, c.write, c.spurious);
    // An update that cannot be completed is in no execution, so it does not race either.
    return g().remains_seq_cst(e) && complete_updates() && (g().at(e).is_update || tolerates_access(e));
}

bool engine::complete_updates() {
    const std::uint64_t unfinished = g().unfinished_updates();
    if (unfinished == 0) {
        return true;
    }
    const unsigned t = std::has_single_bit(unfinished)
                           ? static_cast<unsigned>(std::countr_zero(unfinished))
                           : *std::find_if(by_name_.begin(), by_name_.end(),
                                           [unfinished](unsigned u) { return (unfinished >> u & 1U) != 0; });
    const event& read = g().at(g().of(t).last);
    const request asked = read.asked;
    const std::uint64_t value = asked.is_compare_exchange ? asked.desired : asked.update(read.value, asked.operand);
    // That it can be put somewhere implies that the others can be completed as well.
    return add_write(t, asked, value, true);
}

bool engine::add_write(unsigned t, const request& asked, std::uint64_t value, bool is_update) {
    const event_id e = g().append(t, asked, event_kind::write);
    g().at(e).is_update = is_update;
    g().set_value(e, value);
    frame f{.kind = frame_kind::write, .event = e};
    if (is_update) {
        f.next = static_cast<std::uint32_t>(g().at(g().at(g().at(e).previous).reads_from).place) + 1;
        f.end = f.next;
    } else {
        f.end = g().first_place(e);
        f.next = static_cast<std::uint32_t>(g().modification_order(asked.location).size());
    }
    // Places are tried from `next` down to `end`.
    ++f.next;
    f.places = f.next - f.end;
    f.revisits = !through_orders() && !reads_outside_prefix(e, [](event_id) { return false; });
    frames_.push_back(f);
    return is_random() ? pick_place(frames_.size() - 1) : next_place(frames_.size() - 1);
}

// Visits those of the write's location, as long as `visit` returns true; returns whether it did for all.
template <class Visit>
bool engine::reads_outside_prefix(event_id write, Visit visit) const {
    const graph& graph_now = g();
    const graph::prefix before = graph_now.prefix_of(write);
    return graph_now.for_last_accesses(graph_now.at(write).location, [&](event_id a) {
        for (; a != no_event && a != write && !before.has(graph_now.at(a)); a = graph_now.at(a).previous_access) {
            if (graph_now.at(a).is_read() && !visit(a)) {
                return false;
            }
        }
        return true;
    });
}

bool engine::next_place(std::size_t frame_index) {
    for (;;) {
        frame& f = frames_[frame_index];
        if (f.next == f.end) {
            if (!f.then_spuriously) {
                return false;
            }
            f.then_spuriously = false;
            f.spurious = true;
            g().clear_place(f.event);
            f.next = g().at(f.event).is_update
                         ? f.end + 1
                         : static_cast<std::uint32_t>(g().modification_order(g().at(f.event).location).size()) + 1;
            continue;
        }
        const event_id e = f.event;
        const event_id read = f.revisited;
        const std::uint32_t position = --f.next;
        const bool spurious = f.spurious;
        if (read != no_event) {
            g().clear_source(read);
        }
        g().clear_place(e);
        if (g().splits_update(g().at(e).location, position)) {
            continue;
        }
        g().set_place(e, position);
        if (read != no_event) {
            g().set_source(read, e, spurious);
        }
        if (!g().remains_seq_cst(e)) {
            continue;
        }
        if (!tolerates_access(e) || (read != no_event && !g().at(read).is_update && !tolerates_access(read)) ||
            (g().at(e).is_update && !tolerates_access(g().at(e).previous))) {
            return false;
        }
        const std::size_t frames = frames_.size();
        if (complete_updates()) {
            return true;
        }
        if (frames_.size() != frames) {
            // A write half may still revisit.
            return false;
        }
        g().shrink(static_cast<unsigned>(e) + 1);
    }
}

bool engine::next_choice(std::size_t frame_index) {
    frame& f = frames_[frame_index];
    g().at(f.event).value = f.next++;
    return true;
}

void engine::list_revisits(std::size_t frame_index) {
    frame& f = frames_[frame_index];
    const event_id write = f.event;
    f.revisits_listed = true;
    f.first_revisit = static_cast<std::uint32_t>(reads_to_revisit_.size());
    g().clear_place(write);
    const graph& now = g();
    const graph::prefix before = now.prefix_of(write);
    // Another update of what this one has read: where it stays there is no place for this one.
    const event_id rival = now.at(write).is_update ? now.rival_of(now.at(write).previous) : no_event;
    if (rival != no_event && before.has(now.at(rival))) {
        return;
    }
    // The last event that a revisit may not take away, and the first up to which it has been looked for.
    event_id last_kept = no_event;
    event_id looked_at = write;
    reads_outside_prefix(write, [&](event_id read) {
        while (last_kept == no_event && looked_at > read) {
            --looked_at;
            if (!before.has(now.at(looked_at)) && !now.added_maximally(looked_at, write, before)) {
                last_kept = looked_at;
            }
        }
        if (read > last_kept && (rival == no_event || read < rival)) {
            reads_to_revisit_.push_back(read);
        }
        return true;
    });
}

// Builds the graph of the next revisit and leaves a frame for its places; returns whether there was one.
bool engine::next_revisit(std::size_t frame_index) {
    if (!frames_[frame_index].revisits_listed) {
        list_revisits(frame_index);
    }
    const frame& f = frames_[frame_index];
    const event_id write = f.event;
    if (reads_to_revisit_.size() == f.first_revisit) {
        return false;
    }
    const event_id read = reads_to_revisit_.back();
    reads_to_revisit_.pop_back();
    g().clear_place(write);
    if (graphs_.size() == depth_ + 1) {
        graphs_.push_back(std::make_unique<graph>(clocks_, how_.model));
    }
    const graph& from = g();
    graph& to = *graphs_[depth_ + 1];
    to.assign(from, read, write, map_);
    ++depth_;
    const event_id new_write = map_[static_cast<std::size_t>(write)];
    const event_id new_read = map_[static_cast<std::size_t>(read)];
    to.clear_source(new_read);
    frame r{.kind = frame_kind::write, .event = new_write, .revisited = new_read};
    const event& w = to.at(new_write);
    const event& old = to.at(new_read);
    const auto last = static_cast<std::uint32_t>(to.modification_order(w.location).size());
    if (w.is_update) {
        r.end = static_cast<std::uint32_t>(to.at(to.at(w.previous).reads_from).place) + 1;
        r.next = r.end + 1;
        // The read must be able to see it there.
        if (r.end < to.first_readable_place(new_read)) {
            r.next = r.end;
        }
    } else {
        r.end = std::max(to.first_place(new_write), to.first_readable_place(new_read));
        r.next = std::max(last + 1, r.end);
    }
    if (old.asked.awaited && !old.asked.awaited(w.value) && r.next != r.end) {
        r.end = std::max(r.end, last);
        r.next = std::max(r.next, r.end);
    }
    r.places = r.next - r.end;
    r.then_spuriously =
        old.asked.is_weak && w.value == old.asked.operand && r.next != r.end && may_fail_spuriously(new_read);
    frames_.push_back(r);
    return true;
}

void engine::pop_frame() {
    const frame& f = frames_.back();
    if (f.kind == frame_kind::read || f.kind == frame_kind::schedule) {
        // Its candidates are the last.
        candidates_.resize(f.first_candidate);
    }
    if (f.revisited != no_event) {
        --depth_;
    }
    frames_.pop_back();
}

bool engine::next_alternative() {
    while (!frames_.empty()) {
        const std::size_t top = frames_.size() - 1;
        const frame& f = frames_[top];
        g().shrink(static_cast<unsigned>(f.event) + 1);
        switch (f.kind) {
            case frame_kind::read:
                if (f.next == f.end) {
                    pop_frame();
                } else if (next_read(top)) {
                    return true;
                }
                break;
            case frame_kind::choice:
                if (f.next == f.end) {
                    pop_frame();
                } else if (next_choice(top)) {
                    return true;
                }
                break;
            case frame_kind::schedule:
                if (f.next == f.end) {
                    pop_frame();
                } else if (next_schedule(top)) {
                    return true;
                }
                break;
            case frame_kind::write:
                if (f.next != f.end || f.then_spuriously) {
                    if (next_place(top)) {
                        return true;
                    }
                } else if (!f.revisits || !next_revisit(top)) {
                    pop_frame();
                }
                break;
        }
        if (stop_) {
            return false;
        }
    }
    return false;
}

}  // namespace quiesce::explorer::detail
