// Searches through the orders in which operations can be done, for programs too large for all executions: each
// operation is added to the graph when its thread is next, and nothing that was added changes later. Every execution
// has such an order, since what is read is never from the future.
#include <algorithm>
#include <utility>

#include "proofs/explorer/src/engine.hpp"

namespace quiesce::explorer::detail {

namespace {

constexpr int nobody = -1;

}  // namespace

bool engine::explore_orders(const between& goes_on) {
    if (is_random()) {
        for (std::uint64_t n = 0;; ++n) {
            random_.seed(how_.seed * 0x9e3779b97f4a7c15 + n);
            begin_order();
            if (!explore({}, [] { return false; }) && stop_) {
                return true;
            }
            most_steps_ = std::max(most_steps_, steps_);
            if (stop_ || !goes_on()) {
                return stop_;
            }
        }
    }
    for (bound_ = how_.search == search::deepening ? 0 : how_.bound;; ++bound_) {
        is_cut_ = false;
        if (!explore({}, goes_on)) {
            return false;
        }
        if (stop_ || !is_cut_) {
            return true;
        }
        if (how_.search == search::preemption_bound || (how_.bound != 0 && bound_ == how_.bound)) {
            report_.stopped_at = "bound";
            if (report_.verdict == verdict::exhausted) {
                report_.verdict = verdict::bounded;
            }
            return true;
        }
    }
}

// Priorities for threads that may come, and where they change.
void engine::begin_order() {
    steps_ = 0;
    yielded_ = -1;
    frames_.clear();
    candidates_.clear();
    if (how_.search != search::pct) {
        return;
    }
    priorities_.resize(address_space::max_threads);
    // Above those that changes give.
    std::generate(priorities_.begin(), priorities_.end(), [this] { return (std::uint64_t{1} << 32U) + random_() / 2; });
    changes_at_.clear();
    for (unsigned i = 1; i < how_.bound; ++i) {
        changes_at_.push_back(1 + random_below(most_steps_ == 0 ? 50 : most_steps_));
    }
}

bool engine::is_enabled(unsigned t) {
    const request& asked = *fibers_[t].pending;
    if (asked.kind == event_kind::join) {
        return fibers_[asked.operand].state == status::ended;
    }
    if (!asked.awaited) {
        return true;
    }
    const unsigned size = g().size();
    const event_id e = g().append(t, asked, event_kind::read);
    const std::vector<event_id>& writes = g().modification_order(asked.location);
    bool enabled = writes.empty();
    for (std::size_t i = g().first_readable(e); i < writes.size() && !enabled; ++i) {
        const bool taken = asked.update != nullptr && g().splits_update(asked.location, static_cast<unsigned>(i) + 1);
        if (!taken && asked.awaited(g().value_of(writes[i], asked))) {
            g().clear_source(e);
            g().set_source(e, writes[i], false);
            enabled = g().remains_seq_cst(e);
        }
    }
    g().shrink(size);
    return enabled;
}

unsigned engine::changes_so_far() const {
    const graph& now = *graphs_[depth_];
    unsigned changes = 0;
    for (event_id e = 1; e < static_cast<event_id>(now.size()); ++e) {
        changes += now.at(e).thread != now.at(e - 1).thread ? 1U : 0U;
    }
    return changes;
}

// Of the changes that count, how many there were: each step has left a frame.
unsigned engine::changes_spent() const {
    for (std::size_t i = frames_.size(); i-- != 0;) {
        const frame& f = frames_[i];
        if (f.kind == frame_kind::schedule) {
            const bool changed =
                candidates_[f.next - 1].write != static_cast<event_id>(graphs_[depth_]->at(f.event).thread);
            return f.changes + (changed && f.change_counts ? 1U : 0U);
        }
    }
    return 0;
}

int engine::next_in_order() {
    std::vector<unsigned> enabled;
    for (const unsigned t : by_name_) {
        const status s = fibers_[t].state;
        if (s == status::running || s == status::expected) {
            return static_cast<int>(t);
        }
        if (s == status::at_frontier && is_enabled(t)) {
            enabled.push_back(t);
        }
    }
    if (enabled.empty()) {
        return nobody;
    }
    // Threads that wait, and could go on only with a value that is not the newest, may as well wait for ever.
    const bool may_end = std::all_of(enabled.begin(), enabled.end(), [this](unsigned t) {
        const request& asked = *fibers_[t].pending;
        return asked.awaited && !is_satisfied(asked);
    });
    if (is_random()) {
        return may_end && random_below(enabled.size() + 1) == 0 ? nobody : pick_randomly(enabled);
    }
    if (const std::optional<int> forced = std::exchange(forced_thread_, std::nullopt); forced) {
        return *forced;
    }
    const unsigned last = g().at(static_cast<event_id>(g().size()) - 1).thread;
    const auto same = std::find(enabled.begin(), enabled.end(), last);
    const bool may_go_on = same != enabled.end();
    if (may_go_on) {
        std::rotate(enabled.begin(), same, same + 1);
    }
    const bool costs = how_.search == search::deepening || may_go_on;
    const unsigned spent = changes_spent();
    const auto first = static_cast<std::uint32_t>(candidates_.size());
    for (const unsigned t : enabled) {
        if (t != last && costs && spent >= bound_) {
            is_cut_ = true;
            continue;
        }
        candidates_.push_back({static_cast<event_id>(t), false});
    }
    if (may_end) {
        candidates_.push_back({nobody, false});
    }
    if (first == candidates_.size()) {
        dead_ = true;
        return nobody;
    }
    frames_.push_back({.kind = frame_kind::schedule,
                       .event = static_cast<event_id>(g().size()) - 1,
                       .next = first + 1,
                       .end = static_cast<std::uint32_t>(candidates_.size()),
                       .first_candidate = first,
                       .changes = spent,
                       .change_counts = costs});
    return candidates_[first].write;
}

bool engine::next_schedule(std::size_t frame_index) {
    forced_thread_ = candidates_[frames_[frame_index].next++].write;
    return true;
}

int engine::pick_randomly(const std::vector<unsigned>& enabled) {
    ++steps_;
    if (how_.search == search::random_walk) {
        unsigned picked = enabled[random_below(enabled.size())];
        if (static_cast<int>(picked) == yielded_ && enabled.size() > 1) {
            picked = enabled[random_below(enabled.size())];
        }
        yielded_ = -1;
        return static_cast<int>(picked);
    }
    const auto highest = [&] {
        return *std::max_element(enabled.begin(), enabled.end(),
                                 [this](unsigned x, unsigned y) { return priorities_[x] < priorities_[y]; });
    };
    for (std::size_t i = 0; i != changes_at_.size(); ++i) {
        if (changes_at_[i] == steps_) {
            priorities_[highest()] = i + 1;
        }
    }
    if (yielded_ >= 0) {
        priorities_[static_cast<unsigned>(yielded_)] = 0;
        yielded_ = -1;
    }
    return static_cast<int>(highest());
}

void engine::yield(const place& at) {
    count_hint(at);
    yielded_ = static_cast<int>(self_);
}

// Any of the writes that can be read, in a random order until one is consistent.
bool engine::pick_read(std::size_t frame_index) {
    const frame f = frames_[frame_index];
    std::shuffle(candidates_.begin() + f.next, candidates_.begin() + f.end, random_);
    while (frames_[frame_index].next != f.end) {
        const std::size_t frames = frames_.size();
        if (next_read(frame_index)) {
            return true;
        }
        if (stop_) {
            return false;
        }
        frames_.resize(frames);
        g().shrink(static_cast<unsigned>(f.event) + 1);
    }
    return false;
}

// Any place, or else the last, which is always consistent.
bool engine::pick_place(std::size_t frame_index) {
    frame& f = frames_[frame_index];
    const std::uint32_t last = f.next;
    const std::uint32_t end = f.end;
    f.next = end + 1 + random_below(last - end);
    f.end = f.next - 1;
    if (next_place(frame_index)) {
        return true;
    }
    if (stop_) {
        return false;
    }
    frames_[frame_index].next = last;
    frames_[frame_index].end = end;
    return next_place(frame_index);
}

}  // namespace quiesce::explorer::detail
