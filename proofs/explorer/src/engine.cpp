#include "proofs/explorer/src/engine.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <utility>

#include "proofs/explorer/src/fault.hpp"
#include "proofs/explorer/src/fiber.hpp"

namespace quiesce::explorer::detail {

constinit thread_local engine* engine::current = nullptr;
constinit thread_local bool engine::runs_program = false;

namespace {

// Of the runs of each engine: different from those of all others.
std::uint64_t first_run() {
    static std::atomic<std::uint64_t> engines{0};
    return engines.fetch_add(1, std::memory_order_relaxed) << 36U;
}

}  // namespace

engine::engine(const std::function<void()>& program, const options& how, thread_names& names)
    : program_(program), how_(how), thread_names_(names), memory_(how.guard_freed), run_(first_run()) {
    graphs_.push_back(std::make_unique<graph>(clocks_, how.model));
    children_.resize(address_space::max_threads);
    fibers_.resize(address_space::max_threads);
    know_thread(0);
}

engine::~engine() = default;

namespace {

// While it lives, an engine is the one that the program talks to.
class running {
public:
    running(engine* e, const options& how) : outer_(std::exchange(engine::current, e)), timer_(how.max_idle_seconds) {}
    running(const running&) = delete;
    running& operator=(const running&) = delete;
    ~running() { engine::current = outer_; }

private:
    engine* const outer_;
    const fault_handlers handlers_;
    const idle_timer timer_;
};

}  // namespace

bool engine::explore(std::string_view subtree, const between& goes_on) {
    const running now(this, how_);
    if (subtree.empty()) {
        clocks_.release(1);
        g().clear();
        g().start();
    } else {
        text_reader from(subtree);
        silent_ = true;
        read_graph(from);
        silent_ = false;
        if (stop_) {
            return true;
        }
        read_frame(from);
        if (!next_alternative()) {
            return true;
        }
    }
    do {
        execute();
        if (!dead_ && !stop_) {
            finish_execution();
        }
        if (!goes_on()) {
            return false;
        }
    } while (!stop_ && next_alternative());
    return true;
}

void engine::replay(std::string_view graph_text) {
    const running now(this, how_);
    text_reader from(graph_text);
    silent_ = true;
    read_graph(from);
    silent_ = false;
    if (!stop_) {
        frozen_ = true;
        execute();
        frozen_ = false;
    }
    event_id culprit = no_event;
    from >> culprit;
    if (culprit >= static_cast<event_id>(g().size())) {
        throw damaged_text();
    }
    if (!stop_ && culprit >= 0) {
        (void)(g().at(culprit).is_access() ? tolerates_access(culprit) : tolerates_free(culprit));
    }
    if (!stop_) {
        finish_execution();
    }
}

namespace {

// What the C++ ABI keeps for each thread: the exceptions that are caught, and how many are in flight.
exceptions_in_flight& exceptions_of_this_thread() {
    return *reinterpret_cast<exceptions_in_flight*>(abi::__cxa_get_globals());
}

}  // namespace

void engine::execute() {
    ++run_;
    memory_.reset();
    location_names_.clear();
    const std::vector<graph::thread>& there = g().threads();
    for (const unsigned t : by_name_) {
        const bool exists = t < there.size() && (t == 0 || there[t].spawned_by != no_event);
        fibers_[t].state = exists ? status::expected : status::absent;
        fibers_[t].replayed = 0;
        fibers_[t].next = exists ? there[t].first : no_event;
    }
    list_states();
    // The start is not the program's.
    has_done(0);
    has_outcome_ = false;
    found_.clear();
    assumption_failed_ = false;
    dead_ = false;
    start_fiber(0);
    self_ = 0;
    exceptions_ = &exceptions_of_this_thread();
    host_exceptions_ = std::exchange(*exceptions_, {});
    quiesce_explorer_switch(&host_stack_, fibers_[0].stack_pointer);
}

void engine::start_fiber(unsigned t) {
    memory_.guard_stack(t);
    fiber& f = fibers_[t];
    set_state(t, status::running);
    f.needs_thread = -1;
    f.spawned = 0;
    f.spurious_returns = 0;
    f.failed_allocations = 0;
    f.hints = 0;
    f.values.clear();
    f.exits.clear();
    f.exceptions = {};
    f.stack_pointer = prepare_stack(memory_.stack_top(t), &engine::fiber_main);
}

void engine::run_exits(fiber& f) {
    while (!f.exits.empty()) {
        const auto [function, argument] = f.exits.back();
        f.exits.pop_back();
        function(argument);
    }
}

void engine::fiber_main() {
    engine& e = *current;
    fiber& f = e.fibers_[e.self_];
    bool failed = true;
    try {
        runs_program = true;
        if (e.self_ == 0) {
            e.program_();
        } else {
            f.run(f.body);
        }
        run_exits(f);
        runs_program = false;
        failed = false;
    } catch (const std::exception& x) {
        runs_program = false;
        e.found("escaped exception", x.what());
    } catch (...) {
        runs_program = false;
        e.found("escaped exception", "not a std::exception");
    }
    if (failed) {
        e.fail_thread();
    }
    if (f.next != no_event) {
        e.give_up(verdict::nondeterministic, "nondeterministic program",
                  "a thread ended before it did all that it had");
    }
    e.set_state(e.self_, status::ended);
    e.schedule();
    std::terminate();
}

void engine::fail_thread() {
    assumption_failed_ = true;
    block();
}

void engine::switch_to(unsigned t) {
    const unsigned from = std::exchange(self_, t);
    if (from != t) {
        fibers_[from].exceptions = std::exchange(*exceptions_, fibers_[t].exceptions);
        quiesce_explorer_switch(&fibers_[from].stack_pointer, fibers_[t].stack_pointer);
    }
}

void engine::to_host() {
    *exceptions_ = host_exceptions_;
    quiesce_explorer_switch(&fibers_[self_].stack_pointer, host_stack_);
    std::terminate();
}

void engine::block() {
    set_state(self_, status::blocked);
    schedule();
    std::terminate();
}

void engine::give_up(verdict v, const char* kind, std::string message) {
    report_.verdict = v;
    report_.violation = {kind, std::move(message), filling_ ? std::string() : trace_of(g(), names()), ""};
    stop_ = true;
    to_host();
}

bool engine::exists(unsigned t) {
    return t == 0 || (t < g().threads().size() && g().of(t).spawned_by != no_event);
}

void engine::set_state(unsigned t, status s) {
    const std::uint64_t bit = std::uint64_t{1} << rank_[t];
    threads_in(fibers_[t].state) &= ~bit;
    threads_in(s) |= bit;
    fibers_[t].state = s;
}

// When what each is was set on its own, or the order of the names has changed.
void engine::list_states() {
    in_state_ = {};
    for (unsigned rank = 0; rank != by_name_.size(); ++rank) {
        rank_[by_name_[rank]] = rank;
        threads_in(fibers_[by_name_[rank]].state) |= std::uint64_t{1} << rank;
    }
}

unsigned engine::follow_needs(unsigned t) {
    for (unsigned steps = 0; steps != 2 * address_space::max_threads; ++steps) {
        const fiber& f = fibers_[t];
        if (f.state == status::absent || f.state == status::expected) {
            t = thread_names_.parent_of(t);
        } else if (f.state == status::running && !need_is_met(f)) {
            t = static_cast<unsigned>(f.needs_thread);
        } else if (f.state == status::running) {
            return t;
        } else {
            break;
        }
    }
    give_up(verdict::nondeterministic, "nondeterministic program", "a thread did not do again what it had done");
}

void engine::wait_for(unsigned thread, unsigned events, bool end) {
    fiber& f = fibers_[self_];
    f.needs_thread = static_cast<int>(thread);
    f.needs_events = events;
    f.needs_end = end;
    while (!need_is_met(f)) {
        switch_to(ready(thread));
    }
    f.needs_thread = -1;
}

int engine::next_to_extend() {
    if (frozen_) {
        return -1;
    }
    int last_resort = -1;
    for (std::uint64_t waiting = threads_in(status::at_frontier); waiting != 0; waiting &= waiting - 1) {
        const unsigned t = first_of(waiting);
        const request& asked = *fibers_[t].pending;
        if (asked.kind == event_kind::join ? fibers_[asked.operand].state == status::ended
                                           : !asked.awaited || is_satisfied(asked)) {
            return static_cast<int>(t);
        }
        if (asked.kind != event_kind::join && last_resort < 0) {
            last_resort = static_cast<int>(t);
        }
    }
    return last_resort;
}

// By the newest value, or because there is none.
bool engine::is_satisfied(const request& await) {
    const event_id newest = g().newest(await.location);
    // The start is not listed before the first access.
    return newest == no_event ? !await.has_initial || await.is_of_waiters || await.awaited(await.initial)
                              : await.awaited(g().value_of(newest, await));
}

void engine::schedule() {
    for (;;) {
        if (stop_) {
            to_host();
        }
        const int chosen = through_orders() && !frozen_ ? next_in_order() : next_thread();
        if (chosen < 0) {
            to_host();
        }
        auto next = static_cast<unsigned>(chosen);
        if (fibers_[next].state != status::at_frontier) {
            next = ready(next);
        } else if (!add_operation_of(next)) {
            continue;
        }
        switch_to(next);
        return;
    }
}

bool engine::add_operation_of(unsigned t) {
    const auto done = static_cast<event_id>(g().size());
    if (!extend(t) || (probing_ && !frames_.empty())) {
        dead_ = true;
        to_host();
    }
    fibers_[t].done = done;
    fibers_[t].replayed = g().of(t).length;
    const bool goes_on = !g().at(done).is_unsatisfied;
    set_state(t, goes_on ? status::running : status::blocked);
    return goes_on;
}

// An alternative may stand for no execution, only for what comes of it. Its thread, which has done the last event, must
// not go on then: it might hold a lock that another one holds.
bool engine::has_done_the_last() const {
    return fibers_[self_].next == no_event && g().of(self_).last == static_cast<event_id>(g().size()) - 1;
}

// A read-modify-write is two events.
void engine::has_done(event_id e) {
    const event& done = g().at(e);
    fiber& f = fibers_[done.thread];
    ++f.replayed;
    f.next = done.next;
    if (done.is_read() && done.is_update && f.next != no_event) {
        ++f.replayed;
        f.next = g().at(f.next).next;
    }
}

event_id engine::last_done() const {
    const event_id next = fibers_[self_].next;
    return next != no_event ? g().at(next).previous : g().of(self_).last;
}

event_id engine::do_operation(request& asked, const place& at) {
    asked.file = at.file_name();
    asked.line = at.line();
    const event_id e = fibers_[self_].next;
    if (e == no_event) {
        return do_first(asked);
    }
    const event& done = g().at(e);
    if (filling_) {
        if (done.kind != asked.kind) {
            is_of_another_program();
        }
        return do_when_possible(e, asked);
    }
    if (!done.asked.is_same(asked)) {
        differs(asked, done.asked);
    }
    // Most of what is done at all is done again, and has nothing to wait for.
    if (!has_what_it_needs(done) || done.is_unsatisfied) {
        return do_when_possible(e, asked);
    }
    has_done(e);
    return e;
}

event_id engine::do_when_possible(event_id e, const request& asked) {
    const event& done = g().at(e);
    if (done.is_read() && done.reads_from != no_event) {
        const event& source = g().at(done.reads_from);
        if (!has_come(source)) {
            wait_for(source.thread, source.index + 1U, false);
        }
    } else if (done.kind == event_kind::join) {
        wait_for(static_cast<unsigned>(asked.operand), 0, true);
    }
    if (filling_) {
        fill(e, asked);
    }
    has_done(e);
    if (done.is_read() && done.reads_from == no_event) {
        reads_nothing(asked);
        fail_thread();
    }
    if (done.is_unsatisfied || (filling_ && has_done_the_last())) {
        block();
    }
    return e;
}

event_id engine::do_first(const request& asked) {
    fiber& f = fibers_[self_];
    if (f.replayed >= std::min(how_.max_operations, clock_pool::max_events)) {
        at_bound(place_of(asked), f.replayed);
    }
    f.pending = &asked;
    set_state(self_, status::at_frontier);
    schedule();
    return f.done;
}

}  // namespace quiesce::explorer::detail
