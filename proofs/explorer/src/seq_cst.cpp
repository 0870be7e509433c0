// What a graph must satisfy beyond coherence and atomicity, which hold by construction.
//
// RC11: psc is acyclic (Lahav, Vafeiadis, Kang, Hur and Dreyer, "Repairing Sequential Consistency in C/C++11", 2017).
// C++20: the total order S of [atomics.order] exists. Interleavings: program order, reads-from, modification order and
// from-reads are acyclic together.
#include <algorithm>
#include <cstdint>

#include "proofs/explorer/src/graph.hpp"

namespace quiesce::explorer::detail {

bool graph::remains_seq_cst(event_id id) const {
    const event& e = at(id);
    if (!e.is_access() || position(e) + 1 == order_of_[e.location].size()) {
        return true;
    }
    return model_ == memory_model::sc ? interleaves(id) : seq_cst_.size() < 2 || orders_seq_cst();
}

// A cycle that was not there goes through the event, or through a read of it that is the newest of its thread. Either
// is followed by the next write to its location only, so there is one if that write comes before one of them.
bool graph::interleaves(event_id id) const {
    const event& e = at(id);
    const event_id next = order_of_[e.location][position(e) + 1U];
    // Of each thread, as many events as come before.
    std::vector<unsigned> seen(threads_.size(), 0);
    std::vector<event_id> left{id};
    const auto visit = [&](event_id x) {
        if (x != no_event && at(x).index >= seen[at(x).thread]) {
            left.push_back(x);
        }
    };
    const auto visit_readers = [&](event_id write, std::uint32_t location) {
        for (event_id r = at(write).first_reader; r != no_event; r = at(r).next_reader) {
            if (at(r).location == location) {
                visit(r);
            }
        }
    };
    if (e.is_write()) {
        visit_readers(id, e.location);
    }
    while (!left.empty()) {
        event_id y = left.back();
        left.pop_back();
        const unsigned t = at(y).thread;
        const unsigned known = seen[t];
        seen[t] = std::max(known, at(y).index + 1U);
        for (; y != no_event && at(y).index >= known; y = at(y).previous) {
            const event& b = at(y);
            if (y == next) {
                return false;
            }
            if (b.previous == no_event) {
                visit(threads_[t].spawned_by);
            }
            if (b.kind == event_kind::join) {
                visit(threads_[b.asked.operand].last);
            }
            if (b.is_read()) {
                visit(b.reads_from);
            }
            if (b.is_write() && b.place > 0) {
                const event_id overwritten = order_of_[b.location][static_cast<std::size_t>(b.place) - 1];
                visit(overwritten);
                visit_readers(overwritten, b.location);
            }
        }
    }
    return true;
}

bool graph::orders_seq_cst() const {
    const std::size_t n = seq_cst_.size();
    const std::size_t locations = order_of_.size();
    std::vector<extremes> after(n * locations);
    std::vector<extremes> before(n * locations);
    std::vector<extremes> row;
    for (std::size_t i = 0; i != n; ++i) {
        if (at(seq_cst_[i]).kind == event_kind::fence) {
            earliest_after(seq_cst_[i], row);
            std::copy(row.begin(), row.end(), after.begin() + static_cast<std::ptrdiff_t>(i * locations));
            latest_before(seq_cst_[i], row);
            std::copy(row.begin(), row.end(), before.begin() + static_cast<std::ptrdiff_t>(i * locations));
        }
    }
    std::vector<std::vector<bool>> edge(n, std::vector<bool>(n, false));
    for (std::size_t i = 0; i != n; ++i) {
        for (std::size_t j = 0; j != n; ++j) {
            const event& a = at(seq_cst_[i]);
            const event& b = at(seq_cst_[j]);
            const bool any_light = a.ordering == order::light || b.ordering == order::light;
            const bool any_heavy = a.ordering == order::heavy || b.ordering == order::heavy;
            if (i == j || (any_light && !any_heavy)) {
                continue;
            }
            edge[i][j] = a.kind == event_kind::fence && b.kind == event_kind::fence
                             ? fences_ordered(seq_cst_[i], seq_cst_[j], after.data() + i * locations,
                                              before.data() + j * locations)
                             : must_come_before(seq_cst_[i], seq_cst_[j]);
        }
    }
    for (std::size_t k = 0; k != n; ++k) {
        for (std::size_t i = 0; i != n; ++i) {
            for (std::size_t j = 0; edge[i][k] && j != n; ++j) {
                edge[i][j] = edge[i][j] || edge[k][j];
            }
        }
    }
    for (std::size_t i = 0; i != n; ++i) {
        if (edge[i][i]) {
            return false;
        }
    }
    return true;
}

void graph::earliest_after(event_id fence, std::vector<extremes>& by_location) const {
    by_location.assign(order_of_.size(), {INT32_MAX, INT32_MAX});
    for (event_id p = 0; p != static_cast<event_id>(size()); ++p) {
        const event& e = at(p);
        if (e.is_access() && happens_before(fence, p) && (e.is_write() ? e.place >= 0 : e.reads_from != no_event)) {
            extremes& x = by_location[e.location];
            std::int32_t& least = e.is_write() ? x.write : x.read;
            least = std::min(least, static_cast<std::int32_t>(position(e)));
        }
    }
}

void graph::latest_before(event_id fence, std::vector<extremes>& by_location) const {
    by_location.assign(order_of_.size(), {-1, -1});
    for (event_id q = 0; q != static_cast<event_id>(size()); ++q) {
        const event& e = at(q);
        if (e.is_access() && happens_before(q, fence) && (e.is_write() ? e.place >= 0 : e.reads_from != no_event)) {
            extremes& x = by_location[e.location];
            std::int32_t& most = e.is_write() ? x.write : x.read;
            most = std::max(most, static_cast<std::int32_t>(position(e)));
        }
    }
}

// Happens before, or happens before, extended coherence, happens before. In C++20's order only the second.
bool graph::fences_ordered(event_id a, event_id b, const extremes* after_a, const extremes* before_b) const {
    const bool any_light = at(a).ordering == order::light || at(b).ordering == order::light;
    if (at(a).thread == at(b).thread ? at(a).index < at(b).index
                                     : (model_ == memory_model::rc11 || any_light) && happens_before(a, b)) {
        return true;
    }
    if (model_ == memory_model::cpp20 && strongly_before(a, b)) {
        return true;
    }
    for (std::size_t x = 0; x != order_of_.size(); ++x) {
        const extremes& first = after_a[x];
        const extremes& last = before_b[x];
        if (first.write < std::max(last.write, last.read + 1) || first.read < std::max(last.write, last.read)) {
            return true;
        }
    }
    return false;
}

// Of two events that are not both fences: a fence stands for what happens after, or before, it.
bool graph::must_come_before(event_id a, event_id b) const {
    if (step(a, b)) {
        return true;
    }
    const bool from_fence = at(a).kind == event_kind::fence;
    const bool to_fence = at(b).kind == event_kind::fence;
    for (event_id e = 0; e != static_cast<event_id>(size()); ++e) {
        if ((from_fence && happens_before(a, e) && step(e, b)) || (to_fence && happens_before(e, b) && step(a, e))) {
            return true;
        }
    }
    return false;
}

// Reads-from, modification order and from-reads, in any number of steps.
bool graph::extended_coherence(event_id a, event_id b) const {
    const event& x = at(a);
    const event& y = at(b);
    if (a == b || !x.is_access() || !y.is_access() || x.location != y.location) {
        return false;
    }
    return x.is_write() && y.is_read() ? position(x) <= position(y) : position(x) < position(y);
}

// One step between an event that may stand for a seq_cst one and another such.
bool graph::step(event_id a, event_id b) const {
    if (a == b) {
        return false;
    }
    const event& x = at(a);
    const event& y = at(b);
    if (model_ == memory_model::cpp20) {
        return extended_coherence(a, b) || (x.is_seq_cst() && y.is_seq_cst() && strongly_before(a, b));
    }
    if (x.thread == y.thread && x.index < y.index) {
        return true;
    }
    if (x.is_access() && y.is_access() && x.location == y.location) {
        if (happens_before(a, b) || (y.is_write() && position(x) < position(y))) {
            return true;
        }
    }
    const event_id c = first_elsewhere_after(a);
    const event_id d = last_elsewhere_before(b);
    return c != no_event && d != no_event && c != d && happens_before(c, d);
}

// C++20, [intro.races]: sequenced before; or by synchronising themselves, where both are seq_cst; or sequenced before,
// happens before, sequenced before. A read-modify-write is one operation. The start and the end of a thread count as
// evaluations in it.
bool graph::strongly_before(event_id a, event_id b) const {
    const event_id last_half = at(a).is_update && at(a).is_read() ? at(a).next : a;
    const event_id first_half = at(b).is_update && at(b).is_write() ? at(b).previous : b;
    const event& x = at(last_half == no_event ? a : last_half);
    const event& y = at(first_half);
    if (x.thread == y.thread) {
        return x.index < y.index;
    }
    const event_id before_y = y.previous != no_event ? y.previous : threads_[y.thread].spawned_by;
    if (before_y != no_event) {
        const event& d = at(before_y);
        const unsigned known = d.thread == x.thread ? d.index + 1U : clocks_->of(d.happens_before, x.thread);
        if (known > x.index + 1U) {
            return true;
        }
        for (event_id j = 0; j != static_cast<event_id>(size()); ++j) {
            if (at(j).kind == event_kind::join && at(j).asked.operand == x.thread &&
                (j == before_y || happens_before(j, before_y))) {
                return true;
            }
        }
    }
    if (!x.is_write() || !y.is_read() || x.ordering != order::seq_cst || y.ordering != order::seq_cst) {
        return false;
    }
    event_id w = y.reads_from;
    while (w != last_half && at(w).is_update) {
        w = at(at(w).previous).reads_from;
    }
    return w == last_half;
}

event_id graph::first_elsewhere_after(event_id a) const {
    const event& x = at(a);
    event_id found = no_event;
    for (event_id e = threads_[x.thread].last; e != a; e = at(e).previous) {
        if (!(x.is_access() && at(e).is_access() && at(e).location == x.location)) {
            found = e;
        }
    }
    return found;
}

event_id graph::last_elsewhere_before(event_id b) const {
    const event& y = at(b);
    event_id e = y.previous;
    while (e != no_event && y.is_access() && at(e).is_access() && at(e).location == y.location) {
        e = at(e).previous;
    }
    return e;
}

}  // namespace quiesce::explorer::detail
