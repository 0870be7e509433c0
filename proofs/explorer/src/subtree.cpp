// A part of the search as text: the shape of an execution graph and what is still to be tried from there. What its
// operations are comes back by running the program along it, so the text holds no values and no addresses.
#include <algorithm>
#include <string>
#include <utility>

#include "proofs/explorer/src/engine.hpp"

namespace quiesce::explorer::detail {

bool engine::is_untried(std::size_t frame_index) const {
    const frame& f = frames_[frame_index];
    return f.next != f.end || f.then_spuriously ||
           (f.revisits && (!f.revisits_listed || end_of_revisits(frame_index) != f.first_revisit));
}

// The lists stand one after the other.
std::size_t engine::end_of_revisits(std::size_t frame_index) const {
    for (std::size_t i = frame_index + 1; i != frames_.size(); ++i) {
        if (frames_[i].revisits_listed) {
            return frames_[i].first_revisit;
        }
    }
    return reads_to_revisit_.size();
}

std::string engine::split() {
    std::size_t oldest = 0;
    while (oldest != frames_.size() && !is_untried(oldest)) {
        ++oldest;
    }
    // The newest stays: it is what comes next.
    if (oldest + 1 >= frames_.size()) {
        return {};
    }
    std::string away = subtree_of(oldest);
    for (std::size_t i = 0; i <= oldest; ++i) {
        frame& f = frames_[i];
        f.next = f.end;
        f.then_spuriously = false;
        f.revisits = false;
    }
    return away;
}

std::vector<std::string> engine::untried() const {
    std::vector<std::string> all;
    for (std::size_t i = frames_.size(); i-- != 0;) {
        if (is_untried(i)) {
            all.push_back(subtree_of(i));
        }
    }
    return all;
}

std::string engine::subtree_of(std::size_t frame_index) const {
    const auto depth = std::count_if(frames_.begin(), frames_.begin() + static_cast<std::ptrdiff_t>(frame_index) + 1,
                                     [](const frame& f) { return f.revisited != no_event; });
    text_writer to;
    write_graph(to, static_cast<std::size_t>(depth), static_cast<unsigned>(frames_[frame_index].event) + 1);
    write_frame(to, frame_index);
    return to.take();
}

void engine::write_graph(text_writer& to, std::size_t depth, unsigned size) const {
    const graph& from = *graphs_[depth];
    to << thread_names_.count();
    for (unsigned t = 1; t != thread_names_.count(); ++t) {
        to << thread_names_.parent_of(t) << thread_names_.index_of(t);
    }
    to << size;
    for (event_id id = 0; id != static_cast<event_id>(size); ++id) {
        const event& e = from.at(id);
        to << static_cast<unsigned>(e.kind) << e.thread;
        switch (e.kind) {
            case event_kind::read: to << e.reads_from << (e.is_spurious ? 1 : 0); break;
            case event_kind::write: {
                const std::vector<event_id>& writes = from.modification_order(e.location);
                // Those that are left out are not counted.
                const auto rank =
                    e.place < 0 ? -1 : std::count_if(writes.begin(), writes.begin() + e.place, [size](event_id w) {
                        return w < static_cast<event_id>(size);
                    });
                to << rank << (e.is_update ? 1 : 0);
                break;
            }
            case event_kind::choice: to << e.value; break;
            case event_kind::spawn:
            case event_kind::join: to << e.asked.operand; break;
            default: break;
        }
    }
    to << fingerprint(from, size);
}

void engine::write_frame(text_writer& to, std::size_t frame_index) const {
    const frame& f = frames_[frame_index];
    to << static_cast<unsigned>(f.kind) << f.event << f.next << f.end;
    switch (f.kind) {
        case frame_kind::read:
            for (std::uint32_t i = f.next; i != f.end; ++i) {
                to << candidates_[i].write << (candidates_[i].spurious ? 1 : 0);
            }
            break;
        case frame_kind::choice:
        case frame_kind::schedule: break;
        case frame_kind::write: {
            to << f.revisited << (f.spurious ? 1 : 0) << (f.then_spuriously ? 1 : 0) << (f.revisits ? 1 : 0);
            const bool listed = f.revisits && f.revisits_listed;
            to << (listed ? 1 : 0);
            if (listed) {
                const std::size_t end = end_of_revisits(frame_index);
                to << end - f.first_revisit;
                for (std::size_t i = f.first_revisit; i != end; ++i) {
                    to << reads_to_revisit_[i];
                }
            }
            break;
        }
    }
}

std::uint64_t engine::fingerprint(const graph& of, unsigned size) const {
    std::uint64_t h = 0;
    for (event_id id = 0; id != static_cast<event_id>(size); ++id) {
        const event& e = of.at(id);
        const std::uint64_t where =
            e.is_access() ? memory_.offset_of(e.location) * 2 + (memory_.is_waiters(e.location) ? 1U : 0U) : 0;
        const auto asked = static_cast<std::uint64_t>(e.asked.success) |
                           static_cast<std::uint64_t>(e.asked.failure) << 4U |
                           static_cast<std::uint64_t>(e.kind) << 8U | (e.asked.is_weak ? 1ULL << 12U : 0);
        h = (h ^ (where << 20U) ^ (asked << 50U) ^ e.asked.line) * 0x9e3779b97f4a7c15;
        h ^= h >> 29U;
    }
    return h;
}

void engine::is_of_another_program() {
    give_up(verdict::engine_error, "another program", "the execution to continue from is not one of this program");
}

// Makes the graph of its text, and runs the program along it to learn the rest.
void engine::read_graph(text_reader& from) {
    const auto threads = from.below<unsigned>(address_space::max_threads + 1);
    for (unsigned t = 1; t != threads; ++t) {
        const auto parent = from.below<unsigned>(t);
        const auto index = from.below<unsigned>(address_space::max_threads);
        // With its elder siblings, which were numbered before it.
        if (children_[parent].size() < index || child_of(parent, index) != t) {
            throw damaged_text();
        }
    }
    frames_.clear();
    candidates_.clear();
    reads_to_revisit_.clear();
    depth_ = 0;
    clocks_.release(1);
    graph& to = *graphs_[0];
    to.clear();
    const auto size = from.below<unsigned>(address_space::max_threads * clock_pool::max_events);
    const auto event_or_none = [&from, size]() {
        event_id e = 0;
        from >> e;
        if (e < no_event || e >= static_cast<event_id>(size)) {
            throw damaged_text();
        }
        return e;
    };
    if (size == 0) {
        throw damaged_text();
    }
    for (unsigned i = 0; i != size; ++i) {
        const auto kind = static_cast<event_kind>(from.below<unsigned>(static_cast<unsigned>(event_kind::start) + 1));
        const auto thread = from.below<unsigned>(threads);
        if ((i == 0) != (kind == event_kind::start)) {
            throw damaged_text();
        }
        event& e = to.at(to.append_hollow(thread, kind));
        switch (kind) {
            case event_kind::read:
                e.reads_from = event_or_none();
                e.is_spurious = from.below<unsigned>(2) != 0;
                break;
            case event_kind::write:
                e.place = event_or_none();
                e.is_update = from.below<unsigned>(2) != 0;
                break;
            case event_kind::choice: from >> e.value; break;
            case event_kind::spawn:
            case event_kind::join: e.asked.operand = from.below<unsigned>(threads); break;
            case event_kind::start: e.place = 0; break;
            default: break;
        }
    }
    for (unsigned i = 0; i != size; ++i) {
        if (to.at(static_cast<event_id>(i)).kind == event_kind::spawn) {
            to.note_spawn(static_cast<event_id>(i));
        }
    }
    std::uint64_t print = 0;
    from >> print;
    filling_ = frozen_ = true;
    // The start is no operation.
    filled_ = 1;
    request start;
    start.kind = event_kind::start;
    start.success = order::non_atomic;
    to.fill(0, start);
    execute();
    filling_ = frozen_ = false;
    if (stop_) {
        return;
    }
    to.finish_filling();
    if (filled_ != size || fingerprint(to, size) != print) {
        report_.verdict = verdict::engine_error;
        report_.violation = {"another program", "the execution to continue from is not one of this program", "", ""};
        stop_ = true;
    }
}

void engine::fill(event_id e, const request& asked) {
    const event& hollow = g().at(e);
    if ((hollow.kind == event_kind::spawn || hollow.kind == event_kind::join) &&
        hollow.asked.operand != asked.operand) {
        is_of_another_program();
    }
    g().fill(e, asked);
    ++filled_;
    if (const event_id half = hollow.next; hollow.is_read() && hollow.is_update && half != no_event) {
        if (!g().at(half).is_write() || !g().at(half).is_update) {
            is_of_another_program();
        }
        g().fill(half, asked);
        ++filled_;
    }
}

void engine::read_frame(text_reader& from) {
    frame f{.kind = static_cast<frame_kind>(from.below<unsigned>(3)), .event = no_event};
    const auto size = static_cast<event_id>(g().size());
    f.event = from.below<event_id>(size);
    from >> f.next >> f.end;
    switch (f.kind) {
        case frame_kind::read:
            if (f.end < f.next) {
                throw damaged_text();
            }
            for (std::uint32_t i = f.next; i != f.end; ++i) {
                const auto write = from.below<event_id>(size);
                candidates_.push_back({write, from.below<unsigned>(2) != 0});
            }
            f.next = 0;
            f.end = static_cast<std::uint32_t>(candidates_.size());
            break;
        case frame_kind::choice:
        case frame_kind::schedule: break;
        case frame_kind::write:
            from >> f.revisited;
            f.spurious = from.below<unsigned>(2) != 0;
            f.then_spuriously = from.below<unsigned>(2) != 0;
            f.revisits = from.below<unsigned>(2) != 0;
            f.revisits_listed = from.below<unsigned>(2) != 0;
            if (f.revisits_listed) {
                for (auto n = from.below<unsigned>(g().size()); n != 0; --n) {
                    reads_to_revisit_.push_back(from.below<event_id>(size));
                }
            }
            break;
    }
    if (f.revisited != no_event) {
        // Frames of revisits own a graph beyond the first.
        if (graphs_.size() == 1) {
            graphs_.push_back(std::make_unique<graph>(clocks_, how_.model));
        }
        std::swap(graphs_[0], graphs_[1]);
        depth_ = 1;
    }
    frames_.push_back(f);
}

}  // namespace quiesce::explorer::detail
