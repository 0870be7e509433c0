// What a graph says of its events: which come before which, race, or were added maximally.
#include <algorithm>

#include "proofs/explorer/src/graph.hpp"

namespace quiesce::explorer::detail {

bool graph::happens_before(event_id a, event_id b) const {
    const event& x = at(a);
    const event& y = at(b);
    return x.thread == y.thread ? x.index < y.index : before(y.happens_before, x);
}

bool graph::race(const event& a, const event& b) const {
    return a.thread != b.thread && (a.is_write() || b.is_write()) && !before(b.happens_before, a) &&
           !before(a.happens_before, b);
}

event_id graph::race_with(event_id id) const {
    const event& e = at(id);
    if (e.ordering != order::non_atomic) {
        for (const event_id a : non_atomic_[e.location]) {
            if (race(at(a), e)) {
                return a;
            }
        }
        return no_event;
    }
    event_id other = no_event;
    for_last_accesses(e.location, [&](event_id a) {
        while (a != no_event && !race(at(a), e)) {
            a = before(e.happens_before, at(a)) ? no_event : at(a).previous_access;
        }
        other = a;
        return a == no_event;
    });
    return other;
}

event_id graph::access_not_before(event_id id, std::uint32_t location) const {
    event_id other = no_event;
    for_last_accesses(location, [&](event_id a) {
        while (a != no_event && at(a).is_wake_up()) {
            a = at(a).previous_access;
        }
        other = a == no_event || happens_before(a, id) ? no_event : a;
        return other == no_event;
    });
    return other;
}

std::uint64_t graph::hash() const {
    std::uint64_t h = 0xcbf29ce484222325;
    const auto mix = [&h](std::uint64_t word) {
        h = (h ^ word) * 0x9e3779b97f4a7c15;
        h ^= h >> 29U;
    };
    const auto mix_event = [&](event_id e) { mix(e == no_event ? 0 : (at(e).thread + 1ULL) << 32U | at(e).index); };
    for (unsigned t = 0; t != threads_.size(); ++t) {
        mix(t);
        for (event_id id = threads_[t].last; id != no_event; id = at(id).previous) {
            const event& e = at(id);
            mix(static_cast<std::uint64_t>(e.kind) << 1U | (e.is_spurious ? 1U : 0U));
            mix(e.location);
            mix(e.value);
            mix_event(e.reads_from);
        }
    }
    for (const std::vector<event_id>& writes : order_of_) {
        mix(writes.size());
        for (const event_id w : writes) {
            mix_event(w);
        }
    }
    return h;
}

bool graph::has_race() const {
    for (const std::vector<event_id>& accesses : non_atomic_) {
        for (const event_id a : accesses) {
            if (race_with(a) != no_event) {
                return true;
            }
        }
    }
    return false;
}

bool graph::added_maximally(event_id id, event_id write, const prefix& of_write) const {
    const event& e = at(id);
    if (e.kind == event_kind::choice) {
        return e.value == 0;
    }
    if (!e.is_access()) {
        return true;
    }
    if (e.is_spurious) {
        return false;
    }
    const auto earlier = [&](event_id q) { return q != write && (q <= id || of_write.has(at(q))); };
    if (e.is_write()) {
        for (event_id r = e.first_reader; r != no_event; r = at(r).next_reader) {
            if (earlier(r)) {
                return false;
            }
        }
    }
    const event_id c = e.is_read() ? e.reads_from : id;
    const std::vector<event_id>& writes = order_of_[e.location];
    if (c == no_event) {
        return std::none_of(writes.begin(), writes.end(), earlier);
    }
    if (!earlier(c)) {
        return false;
    }
    const auto newest = std::find_if(writes.rbegin(), writes.rend(), [&](event_id w) { return w == c || earlier(w); });
    return newest == writes.rend() || *newest == c;
}

}  // namespace quiesce::explorer::detail
