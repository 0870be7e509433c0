// What is wrong with an execution.
#include <algorithm>
#include <string>
#include <utility>

#include "proofs/explorer/src/engine.hpp"
#include "proofs/explorer/src/outside.hpp"

namespace quiesce::explorer::detail {

namer engine::names() const {
    return [this](std::uint32_t location) {
        const auto given = [this](std::uint32_t x) -> std::string {
            if (x < location_names_.size() && location_names_[x] != nullptr) {
                return location_names_[x];
            }
            // Else it goes by the write of its constructor, which those from outside do not have.
            const auto* const cell = reinterpret_cast<const void*>(memory_.address_of(x));
            const place* const at =
                memory_.contains(cell) || memory_.is_waiters(x) ? nullptr : constructed_outside(cell);
            return at == nullptr ? std::string() : std::string(1, '(').append(place_of(*at)).append(")");
        };
        if (!memory_.is_waiters(location)) {
            return given(location);
        }
        for (std::uint32_t x = 0; x != memory_.locations(); ++x) {
            if (memory_.address_of(x) == memory_.address_of(location) && !given(x).empty()) {
                return "waiters of " + given(x);
            }
        }
        return std::string();
    };
}

void engine::found(const char* kind, std::string message, event_id culprit) {
    if (silent_) {
        return;
    }
    if (report_.verdict == verdict::exhausted || report_.verdict == verdict::bounded) {
        report_.verdict = verdict::violated;
        report_.violation = {kind, std::move(message), "", ""};
        if (!how_.keep_going) {
            report_.violation.trace = trace_of(g(), names());
            text_writer graph_text;
            write_graph(graph_text, depth_, g().size());
            graph_text << culprit;
            report_.violation.graph = graph_text.take();
        }
    }
    if (how_.keep_going) {
        found_.insert(kind);
    } else {
        stop_ = true;
    }
}

void engine::reads_nothing(const request& asked) {
    found("uninitialised read", "what is read at " + place_of(asked) + " was never written");
}

void engine::differs(const request& asked, const request& was) {
    give_up(verdict::nondeterministic, "nondeterministic program",
            "thread " + std::to_string(self_) + " does " + describe(asked, names()) + " at " + place_of(asked) +
                ", where it did " + describe(was, names()) + " at " + place_of(was) + " in an earlier run");
}

void engine::exceeds(const char* limit, std::string message) {
    report_.stopped_at = limit;
    if (report_.verdict == verdict::violated) {
        stop_ = true;
        to_host();
    }
    give_up(verdict::bounded, "unbounded loop", std::move(message));
}

void engine::count_hint(const place& at) {
    if (++fibers_[self_].hints > how_.max_operations) {
        at_bound(place_of(at), how_.max_operations);
    }
}

void engine::at_bound(const std::string& last, unsigned operations) {
    std::string message = "thread " + std::to_string(self_) + " does more than " + std::to_string(operations) +
                          " operations, the last at " + last + "; a loop that waits should be an await";
    if (!how_.keep_going) {
        exceeds("max_operations", std::move(message));
    }
    report_.stopped_at = "max_operations";
    if (report_.verdict == verdict::exhausted) {
        report_.verdict = verdict::bounded;
        report_.violation = {"unbounded loop", std::move(message), "", ""};
    }
    found_.insert("unbounded loop");
    fail_thread();
}

namespace {

// What holds a part that was given back may be given back later.
bool is_same_memory(const request& a, const request& b) {
    return a.operand == b.operand && a.desired == b.desired;
}

}  // namespace

bool engine::tolerates_access(event_id e) {
    if (how_.keep_going) {
        return true;
    }
    const std::uintptr_t address = memory_.address_of(g().at(e).location);
    for (const event_id f : g().frees()) {
        const request& freed = g().at(f).asked;
        if (address - freed.operand < freed.desired && !g().at(e).is_wake_up()) {
            found("use after free",
                  "memory is used at " + place_of(g().at(e).asked) + " that was freed at " + place_of(freed), e);
            return false;
        }
    }
    if (const event_id other = g().race_with(e); other != no_event) {
        found("data race",
              "the accesses at " + place_of(g().at(other).asked) + " and " + place_of(g().at(e).asked) +
                  ", one of them not atomic, are not ordered",
              e);
        return false;
    }
    return true;
}

bool engine::tolerates_free(event_id e) {
    if (how_.keep_going) {
        return true;
    }
    const request& freed = g().at(e).asked;
    for (const event_id f : g().frees()) {
        if (f != e && is_same_memory(g().at(f).asked, freed)) {
            found("double free",
                  "memory that was freed at " + place_of(g().at(f).asked) + " is freed at " + place_of(freed), e);
            return false;
        }
    }
    if (const event_id use = use_not_before(e); use != no_event) {
        found("use after free",
              "memory is freed at " + place_of(freed) + " while its use at " + place_of(g().at(use).asked) +
                  " is not ordered before",
              e);
        return false;
    }
    return true;
}

void engine::finish_execution() {
    if (how_.search == search::deepening && changes_so_far() != bound_) {
        // It came with a lower bound.
        return;
    }
    if ((threads_in(status::at_frontier) | threads_in(status::blocked)) == 0) {
        finish_complete();
    } else {
        finish_waiting();
    }
    for (const std::string& kind : found_) {
        ++report_.violations[kind];
    }
}

void engine::finish_complete() {
    ++report_.executions;
    if (how_.each_execution) {
        how_.each_execution(g().hash());
    }
    if (has_outcome_) {
        ++report_.outcomes[outcome_];
    }
    if (how_.keep_going && g().has_race()) {
        ++report_.racy;
        found("data race", "two accesses of one location, one of them not atomic, are not ordered");
    }
    if (how_.keep_going) {
        find_memory_errors();
    }
    if (how_.find_leaks) {
        find_leaks();
    }
}

void engine::find_leaks() {
    const std::vector<const address_space::block*> lost = memory_.unreleased();
    if (lost.empty()) {
        return;
    }
    std::string what;
    const auto begins = reinterpret_cast<std::uintptr_t>(memory_.address_of(*lost.front()));
    for (std::uint32_t x = 0; x != memory_.locations() && what.empty(); ++x) {
        if (memory_.address_of(x) - begins < lost.front()->bytes && g().newest(x) != no_event) {
            what = ", with " + location_name(g(), x, names());
        }
    }
    found("leak", std::to_string(lost.size()) + (lost.size() == 1 ? " object is" : " objects are") +
                      " never deleted, the first of " + std::to_string(lost.front()->bytes) + " bytes" + what);
}

// No thread can go on and not all have ended. It is a deadlock if nothing that is still to be read would help.
void engine::finish_waiting() {
    std::string waiting;
    bool stuck = !assumption_failed_;
    for (const unsigned t : by_name_) {
        const fiber& f = fibers_[t];
        if (!exists(t) || f.state == status::ended) {
            continue;
        }
        const event_id last = g().of(t).last;
        const bool awaits = f.state == status::blocked && last != no_event && g().at(last).is_unsatisfied;
        if (awaits) {
            stuck =
                stuck && !g().at(last).asked.is_timed && g().at(last).reads_from == g().newest(g().at(last).location);
        }
        // Through orders, an await that is not satisfied is not done.
        const bool would_await = f.state == status::at_frontier && f.pending->awaited;
        stuck = stuck && !(would_await && f.pending->is_timed);
        if (report_.violation.kind.empty()) {
            waiting += (waiting.empty() ? " thread " : ", thread ") + std::to_string(t) +
                       (awaits                           ? " waits at " + place_of(g().at(last).asked)
                        : would_await                    ? " waits at " + place_of(*f.pending)
                        : f.state == status::at_frontier ? " joins at " + place_of(*f.pending)
                                                         : " has failed");
        }
    }
    if (!stuck) {
        ++report_.incomplete;
        return;
    }
    ++report_.deadlocks;
    found("deadlock", "no thread can go on:" + waiting);
}

// What stops the search at once without `keep_going`, in a whole execution.
void engine::find_memory_errors() {
    const std::vector<event_id>& frees = g().frees();
    for (std::size_t i = 0; i != frees.size(); ++i) {
        const request& freed = g().at(frees[i]).asked;
        if (std::any_of(frees.begin(), frees.begin() + static_cast<std::ptrdiff_t>(i),
                        [&](event_id f) { return is_same_memory(g().at(f).asked, freed); })) {
            found("double free", "memory that was freed is freed at " + place_of(freed));
        }
        if (const event_id use = use_not_before(frees[i]); use != no_event) {
            found("use after free", "memory is freed at " + place_of(freed) + ", and used at " +
                                        place_of(g().at(use).asked) + " later or unordered");
        }
    }
}

event_id engine::use_not_before(event_id free) {
    const request& freed = g().at(free).asked;
    for (std::uint32_t x = 0; x != memory_.locations(); ++x) {
        if (memory_.address_of(x) - freed.operand < freed.desired) {
            if (const event_id use = g().access_not_before(free, x); use != no_event) {
                return use;
            }
        }
    }
    return no_event;
}

}  // namespace quiesce::explorer::detail
