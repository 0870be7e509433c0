#include "proofs/explorer/src/graph.hpp"

#include <algorithm>
#include <utility>

namespace quiesce::explorer::detail {

void graph::clear() {
    events_.clear();
    threads_.clear();
    for (auto& writes : order_of_) {
        writes.clear();
    }
    for (auto& accesses : non_atomic_) {
        accesses.clear();
    }
    std::fill(last_access_.begin(), last_access_.end(), no_event);
    std::fill(accessed_by_.begin(), accessed_by_.end(), 0);
    seq_cst_.clear();
    unfinished_updates_ = 0;
    frees_.clear();
}

void graph::start() {
    know_thread(0);
    request asked;
    asked.success = order::non_atomic;
    at(append(0, asked, event_kind::start)).place = 0;
}

void graph::know_thread(unsigned t) {
    if (threads_.size() <= t) {
        threads_.resize(t + 1U);
    }
    threads_[t].known = true;
    clocks_->reserve_threads(t + 1U);
    if (t < stride_) {
        return;
    }
    const unsigned wider = stride_ * 2;
    std::vector<event_id> moved(last_access_.size() * 2, no_event);
    for (std::size_t i = 0; i != last_access_.size(); ++i) {
        moved[i / stride_ * wider + i % stride_] = last_access_[i];
    }
    last_access_ = std::move(moved);
    stride_ = wider;
    know_thread(t);
}

event_id graph::append(unsigned t, const request& asked, event_kind kind) {
    const auto id = static_cast<event_id>(events_.size());
    event& e = events_.emplace_back();
    e.asked = asked;
    e.kind = kind;
    e.ordering = kind == event_kind::fence ? asked.success : in_model(asked.success);
    e.thread = static_cast<std::uint16_t>(t);
    e.location = asked.location;
    end_thread_with(e, id);
    e.clocks_before = clocks_->mark();
    begin_clocks(e);
    make_room_for(e.location);
    enlist(e, id);
    e.clocks_after = clocks_->mark();
    return id;
}

order graph::in_model(order asked) const {
    return model_ == memory_model::sc && is_atomic(asked) ? order::acq_rel : asked;
}

void graph::note_spawn(event_id spawn) {
    const auto t = static_cast<unsigned>(at(spawn).asked.operand);
    know_thread(t);
    threads_[t].spawned_by = spawn;
}

// What it has from the events before it in its thread, or from the one that spawned the thread.
void graph::begin_clocks(event& e) {
    if (e.previous == no_event) {
        begin_thread(e);
        return;
    }
    const event& p = at(e.previous);
    e.happens_before = p.happens_before;
    e.prefix = p.prefix;
    e.fence_released = p.fence_released;
    e.fence_released_light = p.fence_released_light;
    e.fence_released_heavy = p.fence_released_heavy;
    e.acquirable = p.acquirable;
    e.acquirable_by_heavy = p.acquirable_by_heavy;
    e.acquirable_by_light = p.acquirable_by_light;
}

void graph::begin_thread(event& e) {
    e.happens_before = e.prefix = e.fence_released = e.fence_released_light = e.fence_released_heavy = 0;
    e.acquirable = e.acquirable_by_heavy = e.acquirable_by_light = 0;
    if (threads_[e.thread].spawned_by != no_event) {
        const event& s = at(threads_[e.thread].spawned_by);
        e.happens_before = own(s.happens_before, s);
        e.prefix = s.prefix == s.happens_before ? e.happens_before : own(s.prefix, s);
    }
}

void graph::make_room(std::size_t locations) {
    order_of_.resize(locations);
    non_atomic_.resize(locations);
    accessed_by_.resize(locations);
    last_access_.resize(locations * stride_, no_event);
}

void graph::add_to_lists(const event& e, event_id id) {
    if (e.is_access() && e.asked.has_initial && order_of_[e.location].empty()) {
        order_of_[e.location].push_back(0);
    }
    if (e.is_access() && e.ordering == order::non_atomic) {
        non_atomic_[e.location].push_back(id);
    }
    if (e.is_seq_cst()) {
        seq_cst_.push_back(id);
    }
    if (e.kind == event_kind::free) {
        frees_.push_back(id);
    }
}

void graph::finish_plain(event_id id) {
    event& e = at(id);
    if (e.kind == event_kind::fence) {
        const order o = e.ordering;
        if (acquires(o) || o == order::heavy) {
            e.happens_before = clocks_->join(e.happens_before, e.acquirable);
        }
        if (o == order::heavy) {
            e.happens_before = clocks_->join(e.happens_before, e.acquirable_by_heavy);
        }
        if (o == order::light) {
            e.happens_before = clocks_->join(e.happens_before, e.acquirable_by_light);
            e.fence_released_light = own(e.happens_before, e);
        }
        if (releases(o) || o == order::heavy) {
            e.fence_released = own(e.happens_before, e);
            if (o == order::heavy) {
                e.fence_released_heavy = e.fence_released;
            }
        }
    } else if (e.kind == event_kind::spawn) {
        note_spawn(id);
    } else if (e.kind == event_kind::join) {
        const thread& joined = threads_[e.asked.operand];
        const event& last = at(joined.last != no_event ? joined.last : joined.spawned_by);
        const bool differ = e.prefix != e.happens_before || last.prefix != last.happens_before;
        e.happens_before = join_own(e.happens_before, last.happens_before, last);
        e.prefix = differ ? join_own(e.prefix, last.prefix, last) : e.happens_before;
    }
    e.clocks_after = clocks_->mark();
}

void graph::shrink(unsigned size) {
    while (events_.size() > size) {
        const auto id = static_cast<event_id>(events_.size() - 1);
        event& e = events_.back();
        if (e.kind == event_kind::read) {
            clear_source(id);
        } else if (e.kind == event_kind::write) {
            clear_place(id);
            unfinished_updates_ |= e.is_update ? bit_of(e) : 0;
        } else if (e.kind == event_kind::spawn) {
            threads_[e.asked.operand] = {};
        } else if (e.kind == event_kind::free) {
            frees_.pop_back();
        }
        if (e.is_access()) {
            last_access_[static_cast<std::size_t>(e.location) * stride_ + e.thread] = e.previous_access;
            accessed_by_[e.location] &= ~(e.previous_access == no_event ? bit_of(e) : 0);
            if (e.ordering == order::non_atomic) {
                non_atomic_[e.location].pop_back();
            }
        }
        if (e.is_seq_cst()) {
            seq_cst_.erase(std::find(seq_cst_.begin(), seq_cst_.end(), id));
        }
        thread& own_thread = threads_[e.thread];
        (e.previous == no_event ? own_thread.first : at(e.previous).next) = no_event;
        own_thread.last = e.previous;
        --own_thread.length;
        clocks_->release(e.clocks_before);
        events_.pop_back();
    }
    if (!events_.empty()) {
        clocks_->release(events_.back().clocks_after);
    }
}

// The place of the latest access to the event's location that happens before it; -1 where there is none.
int graph::bound(const event& e) const {
    int latest = -1;
    const clock_id seen = e.asked.after_enlisting ? at(e.previous).released : 0;
    for_last_accesses(e.location, [&](event_id a) {
        if (at(a).thread == e.thread) {
            a = e.previous_access;
        } else {
            while (a != no_event && !before(e.happens_before, at(a)) && (seen == 0 || !before(seen, at(a)))) {
                a = at(a).previous_access;
            }
        }
        while (a != no_event && (at(a).is_write() ? at(a).place < 0 : at(a).reads_from == no_event)) {
            a = at(a).previous_access;
        }
        if (a != no_event) {
            latest = std::max(latest, static_cast<int>(position(at(a))));
        }
        return true;
    });
    return latest;
}

unsigned graph::first_readable(event_id read) const {
    return static_cast<unsigned>(std::max(bound(at(read)), 0));
}

unsigned graph::first_place(event_id write) const {
    const event& e = at(write);
    const std::vector<event_id>& writes = order_of_[e.location];
    return std::max(static_cast<unsigned>(bound(e) + 1), writes.empty() ? 0U : 1U);
}

bool graph::splits_update(std::uint32_t location, unsigned position) const {
    const std::vector<event_id>& writes = order_of_[location];
    return position < writes.size() && at(writes[position]).is_update;
}

event_id graph::rival_of(event_id read) const {
    const std::uint32_t location = at(read).location;
    const unsigned after = position(at(read)) + 1;
    return splits_update(location, after) ? order_of_[location][after] : no_event;
}

void graph::set_source(event_id read, event_id write, bool spurious) {
    event& e = at(read);
    const event& w = at(write);
    e.reads_from = write;
    e.value = value_of(write, e.asked);
    e.next_reader = w.first_reader;
    at(write).first_reader = read;
    e.is_spurious = spurious;
    e.is_unsatisfied = e.asked.awaited && !e.asked.awaited(e.value);
    const bool fails = e.asked.is_compare_exchange && (spurious || e.value != e.asked.operand);
    e.is_update = (e.asked.update != nullptr || e.asked.is_compare_exchange) && !fails && !e.is_unsatisfied;
    unfinished_updates_ |= e.is_update ? bit_of(e) : 0;
    if (e.asked.is_compare_exchange) {
        e.ordering = in_model(fails ? e.asked.failure : e.asked.success);
        const auto listed = std::find(seq_cst_.begin(), seq_cst_.end(), read);
        if (listed != seq_cst_.end() && !e.is_seq_cst()) {
            seq_cst_.erase(listed);
        } else if (listed == seq_cst_.end() && e.is_seq_cst()) {
            seq_cst_.push_back(read);
        }
    }
    finish_read(e);
}

void graph::finish_read(event& e) {
    const event& w = at(e.reads_from);
    if (w.thread != e.thread && !before(e.prefix, w)) {
        e.prefix = join_own(e.prefix, w.prefix, w);
    }
    if (e.ordering == order::from_head) {
        const event* head = &w;
        while (head->is_update) {
            head = &at(at(head->previous).reads_from);
        }
        e.happens_before = clocks_->join(e.happens_before, head->released);
    } else if (is_atomic(e.ordering) && w.ordering != order::non_atomic) {
        if (acquires(e.ordering)) {
            e.happens_before = clocks_->join(e.happens_before, w.released);
        } else {
            e.acquirable = clocks_->join(e.acquirable, w.released);
        }
        e.acquirable_by_heavy = clocks_->join(e.acquirable_by_heavy, w.released_light);
        e.acquirable_by_light = clocks_->join(e.acquirable_by_light, w.released_heavy);
    }
    e.clocks_after = clocks_->mark();
}

void graph::clear_source(event_id read) {
    event& e = at(read);
    if (e.reads_from != no_event) {
        event_id* link = &at(e.reads_from).first_reader;
        while (*link != read) {
            link = &at(*link).next_reader;
        }
        *link = e.next_reader;
        e.next_reader = no_event;
        e.reads_from = no_event;
    }
    unfinished_updates_ &= ~(e.is_update ? bit_of(e) : 0);
    e.is_update = false;
    e.is_unsatisfied = false;
    e.is_spurious = false;
    if (read == static_cast<event_id>(events_.size() - 1)) {
        clocks_->release(e.clocks_before);
    }
    begin_clocks(e);
    e.clocks_after = clocks_->mark();
}

void graph::set_value(event_id write, std::uint64_t value) {
    event& e = at(write);
    e.value = value;
    unfinished_updates_ &= ~(e.is_update ? bit_of(e) : 0);
    if (is_atomic(e.ordering)) {
        e.released = releases(e.ordering) ? own(e.happens_before, e) : e.fence_released;
        e.released_light = e.fence_released_light;
        e.released_heavy = e.fence_released_heavy;
    } else {
        e.released = releases(e.ordering) ? own(e.happens_before, e) : 0;
        e.released_light = e.released_heavy = 0;
    }
    if (e.is_update) {
        const event& source = at(at(e.previous).reads_from);
        e.released = clocks_->join(e.released, source.released);
        e.released_light = clocks_->join(e.released_light, source.released_light);
        e.released_heavy = clocks_->join(e.released_heavy, source.released_heavy);
    }
    e.clocks_after = clocks_->mark();
}

void graph::set_place(event_id write, unsigned at_place) {
    event& e = at(write);
    std::vector<event_id>& writes = order_of_[e.location];
    writes.insert(writes.begin() + at_place, write);
    for (std::size_t i = at_place; i != writes.size(); ++i) {
        at(writes[i]).place = static_cast<std::int32_t>(i);
    }
}

void graph::clear_place(event_id write) {
    event& e = at(write);
    if (e.place < 0) {
        return;
    }
    std::vector<event_id>& writes = order_of_[e.location];
    writes.erase(writes.begin() + e.place);
    for (auto i = static_cast<std::size_t>(e.place); i != writes.size(); ++i) {
        at(writes[i]).place = static_cast<std::int32_t>(i);
    }
    e.place = -1;
}

}  // namespace quiesce::explorer::detail
