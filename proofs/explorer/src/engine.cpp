#include "proofs/explorer/src/engine.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <utility>

#include "proofs/explorer/src/fiber.hpp"
#include "proofs/explorer/src/trace.hpp"

namespace quiesce::explorer::detail {

engine* engine::current = nullptr;
bool engine::runs_program = false;

engine::engine(const std::function<void()>& program, const options& how) : program_(program), how_(how) {
    graphs_.push_back(std::make_unique<graph>(clocks_, how.model));
    names_.push_back({});
    parents_.push_back(0);
    children_.resize(address_space::max_threads);
    by_name_.push_back(0);
    fibers_.resize(address_space::max_threads);
    events_of_.resize(address_space::max_threads);
    g().know_thread(0);
}

engine::~engine() = default;

report engine::run() {
    using clock = std::chrono::steady_clock;
    const clock::time_point began = clock::now();
    const auto seconds = [began] { return std::chrono::duration<double>(clock::now() - began).count(); };
    double next_progress = 0.5;
    engine* const outer = std::exchange(current, this);
    std::uint64_t runs = 0;
    do {
        start_execution();
        if (!dead_ && !stop_) {
            finish_execution();
        }
        if (how_.max_executions != 0 && report_.executions >= how_.max_executions) {
            stop_at(verdict::bounded);
        }
        if (++runs % 256 == 0 && (how_.max_seconds > 0 || how_.progress)) {
            const double now = seconds();
            if (how_.progress && now >= next_progress) {
                next_progress = now + 0.5;
                how_.progress(report_.executions + report_.deadlocks + report_.incomplete, now);
            }
            if (how_.max_seconds > 0 && now >= how_.max_seconds) {
                stop_at(verdict::timed_out);
            }
        }
    } while (!stop_ && next_alternative());
    current = outer;
    if (!report_.violation.kind.empty() &&
        (report_.verdict == verdict::exhausted || report_.verdict == verdict::bounded ||
         report_.verdict == verdict::timed_out)) {
        report_.verdict = verdict::violated;
    }
    report_.seconds = seconds();
    return std::move(report_);
}

void engine::stop_at(verdict v) {
    if (!stop_) {
        report_.verdict = v;
        stop_ = true;
    }
}

namespace {

// What the C++ ABI keeps for each thread: the exceptions that are caught, and how many are in flight.
exceptions_in_flight& exceptions_of_this_thread() {
    return *reinterpret_cast<exceptions_in_flight*>(abi::__cxa_get_globals());
}

}  // namespace

void engine::start_execution() {
    memory_.reset();
    for (unsigned t = 0; t != names_.size(); ++t) {
        fiber& f = fibers_[t];
        f.state = status::absent;
        f.replayed = 0;
        f.needs_thread = -1;
        f.spawned = 0;
        events_of_[t].clear();
    }
    for (event_id e = 0; e != static_cast<event_id>(g().size()); ++e) {
        events_of_[g().at(e).thread].push_back(e);
    }
    has_outcome_ = false;
    assumption_failed_ = false;
    dead_ = false;
    start_fiber(0);
    self_ = 0;
    exceptions_ = &exceptions_of_this_thread();
    host_exceptions_ = std::exchange(*exceptions_, {});
    quiesce_explorer_switch(&host_stack_, fibers_[0].stack_pointer);
}

void engine::start_fiber(unsigned t) {
    fibers_[t].state = status::running;
    fibers_[t].exceptions = {};
    fibers_[t].stack_pointer = prepare_stack(memory_.stack_top(t), &engine::fiber_main);
}

void engine::fiber_main() {
    engine& e = *current;
    const fiber& f = e.fibers_[e.self_];
    bool failed = true;
    try {
        runs_program = true;
        if (e.self_ == 0) {
            e.program_();
        } else {
            f.run(f.body);
        }
        runs_program = false;
        failed = false;
    } catch (const std::exception& x) {
        runs_program = false;
        e.found("escaped exception", x.what());
    } catch (...) {
        runs_program = false;
        e.found("escaped exception", "not a std::exception");
    }
    fiber& ended = e.fibers_[e.self_];
    if (ended.replayed < e.events_of_[e.self_].size()) {
        e.give_up(verdict::nondeterministic, "nondeterministic program",
                  "a thread ended before it did all that it had");
    }
    ended.state = failed ? status::blocked : status::ended;
    e.assumption_failed_ = e.assumption_failed_ || failed;
    e.schedule();
    std::terminate();
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
    fibers_[self_].state = status::blocked;
    schedule();
    std::terminate();
}

void engine::give_up(verdict v, const char* kind, std::string message) {
    report_.verdict = v;
    report_.violation = {kind, std::move(message), trace_of(g(), names_.size(), location_names_)};
    stop_ = true;
    to_host();
}

void engine::found(const char* kind, std::string message) {
    if (report_.violation.kind.empty()) {
        report_.violation = {kind, std::move(message),
                             how_.keep_going ? std::string() : trace_of(g(), names_.size(), location_names_)};
    }
    if (!how_.keep_going) {
        stop_ = true;
    }
}

bool engine::tolerates_access(event_id e) {
    if (how_.keep_going) {
        return true;
    }
    const std::uintptr_t address = memory_.address_of(g().at(e).location);
    for (const event_id f : g().frees()) {
        const request& freed = g().at(f).asked;
        if (address >= freed.operand && address < freed.operand + freed.desired) {
            found("use after free",
                  "memory is used at " + place_of(g().at(e).asked) + " that was freed at " + place_of(freed));
            return false;
        }
    }
    if (const event_id other = g().race_with(e); other != no_event) {
        found("data race", "the accesses at " + place_of(g().at(other).asked) + " and " + place_of(g().at(e).asked) +
                               ", one of them not atomic, are not ordered");
        return false;
    }
    return true;
}

bool engine::tolerates_free(event_id e) {
    const request& freed = g().at(e).asked;
    for (const event_id f : g().frees()) {
        if (f != e && g().at(f).asked.operand == freed.operand) {
            found("double free",
                  "memory that was freed at " + place_of(g().at(f).asked) + " is freed at " + place_of(freed));
            return how_.keep_going;
        }
    }
    for (std::uint32_t x = 0; x != memory_.locations(); ++x) {
        const std::uintptr_t address = memory_.address_of(x);
        if (address < freed.operand || address >= freed.operand + freed.desired) {
            continue;
        }
        if (const event_id use = g().access_not_before(e, x); use != no_event) {
            found("use after free", "memory is freed at " + place_of(freed) + " while its use at " +
                                        place_of(g().at(use).asked) + " is not ordered before");
            return how_.keep_going;
        }
    }
    return true;
}

bool engine::exists(unsigned t) {
    return t == 0 || (t < g().threads().size() && g().of(t).spawned_by != no_event);
}

void engine::note_new_events(unsigned t, unsigned from) {
    for (unsigned e = from; e != g().size(); ++e) {
        events_of_[t].push_back(static_cast<event_id>(e));
    }
}

bool engine::need_is_met(const fiber& f) const {
    const fiber& other = fibers_[static_cast<unsigned>(f.needs_thread)];
    return f.needs_end ? other.state == status::ended : other.replayed >= f.needs_events;
}

unsigned engine::ready(unsigned t) {
    for (unsigned steps = 0; steps != 2 * address_space::max_threads; ++steps) {
        const fiber& f = fibers_[t];
        if (f.state == status::absent) {
            t = parents_[t];
        } else if (f.state == status::running && f.needs_thread >= 0 && !need_is_met(f)) {
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
        switch_to(ready(self_));
    }
    f.needs_thread = -1;
}

void engine::schedule() {
    const unsigned self = self_;
    for (;;) {
        if (stop_) {
            to_host();
        }
        int chosen = -1;
        int last_resort = -1;
        for (const unsigned t : by_name_) {
            const fiber& f = fibers_[t];
            if (!exists(t) || f.state == status::ended || f.state == status::blocked) {
                continue;
            }
            if (f.state == status::at_frontier) {
                const request& asked = *f.pending;
                if (asked.kind == event_kind::join) {
                    const status joined = fibers_[asked.operand].state;
                    if (joined == status::running || joined == status::absent) {
                        // Whether it has ended is known when it has done all that the graph says.
                        chosen = static_cast<int>(asked.operand);
                        break;
                    }
                    if (joined != status::ended) {
                        continue;
                    }
                } else if (asked.awaited) {
                    const event_id newest = g().newest(asked.location);
                    if (newest != no_event && !asked.awaited(g().at(newest).value)) {
                        last_resort = last_resort < 0 ? static_cast<int>(t) : last_resort;
                        continue;
                    }
                }
            }
            chosen = static_cast<int>(t);
            break;
        }
        chosen = chosen < 0 ? last_resort : chosen;
        if (chosen < 0) {
            to_host();
        }
        auto next = static_cast<unsigned>(chosen);
        if (fibers_[next].state == status::at_frontier) {
            if (!extend(next)) {
                dead_ = true;
                to_host();
            }
            const event_id done = events_of_[next][fibers_[next].replayed];
            fibers_[next].done = done;
            fibers_[next].replayed = static_cast<unsigned>(events_of_[next].size());
            if (g().at(done).is_unsatisfied) {
                fibers_[next].state = status::blocked;
                continue;
            }
            fibers_[next].state = status::running;
        } else {
            next = ready(next);
        }
        if (next == self) {
            return;
        }
        switch_to(next);
        return;
    }
}

event_id engine::do_operation(request& asked, const place& at) {
    asked.file = at.file_name();
    asked.line = at.line();
    fiber& f = fibers_[self_];
    if (f.replayed < events_of_[self_].size()) {
        const event_id e = events_of_[self_][f.replayed];
        const event& done = g().at(e);
        const request& was = done.asked;
        if (was.kind != asked.kind || was.location != asked.location || was.operand != asked.operand ||
            was.desired != asked.desired || was.success != asked.success || was.failure != asked.failure ||
            was.is_weak != asked.is_weak || was.update != asked.update || was.awaited.holds != asked.awaited.holds) {
            give_up(verdict::nondeterministic, "nondeterministic program", "an operation differs from the last run's");
        }
        if (done.is_read()) {
            const event& source = g().at(done.reads_from);
            if (source.thread != self_ && fibers_[source.thread].replayed <= source.index) {
                wait_for(source.thread, source.index + 1U, false);
            }
        } else if (done.kind == event_kind::join && fibers_[asked.operand].state != status::ended) {
            wait_for(static_cast<unsigned>(asked.operand), 0, true);
        }
        f.replayed += done.is_read() && done.is_update ? 2 : 1;
        if (done.is_unsatisfied) {
            block();
        }
        return e;
    }
    if (f.replayed >= std::min(how_.max_operations, clock_pool::max_events)) {
        give_up(verdict::bounded, "unbounded loop",
                "a thread does more operations than the bound allows, the last at " + place_of(asked) +
                    "; a loop that waits should be an await");
    }
    f.pending = &asked;
    f.state = status::at_frontier;
    schedule();
    return f.done;
}

namespace {

order order_of(std::memory_order o) {
    switch (o) {
        case std::memory_order_relaxed: return order::relaxed;
        case std::memory_order_consume:
        case std::memory_order_acquire: return order::acquire;
        case std::memory_order_release: return order::release;
        case std::memory_order_acq_rel: return order::acq_rel;
        case std::memory_order_seq_cst: return order::seq_cst;
    }
    return order::seq_cst;
}

}  // namespace

std::uint32_t engine::location_of(const void* cell) {
    if (!memory_.contains(cell)) {
        give_up(verdict::engine_error, "object from outside",
                "the program uses an object that it did not construct itself");
    }
    return memory_.location_at(cell);
}

std::uint64_t engine::perform(const access& a, const place& at, bool* succeeded) {
    request asked;
    asked.location = location_of(a.cell);
    asked.success = a.non_atomic ? order::non_atomic : order_of(a.success);
    asked.operand = a.operand;
    switch (a.what) {
        case operation::load: break;
        case operation::store: asked.kind = event_kind::write; break;
        case operation::compare_exchange:
            asked.failure = order_of(a.failure);
            asked.is_compare_exchange = true;
            asked.is_weak = a.weak;
            asked.desired = a.desired;
            break;
        case operation::await:
            asked.awaited.holds = a.holds;
            asked.is_timed = a.timed;
            std::memcpy(asked.awaited.captured, a.captured, a.captured_bytes);
            [[fallthrough]];
        case operation::update: asked.update = a.apply; break;
    }
    const event_id e = do_operation(asked, at);
    if (succeeded != nullptr) {
        *succeeded = g().at(e).is_update;
    }
    return g().at(e).value;
}

void engine::fence(order o, const place& at) {
    request asked;
    asked.kind = event_kind::fence;
    asked.success = o;
    (void)do_operation(asked, at);
}

unsigned engine::child_of(unsigned parent, unsigned number) {
    std::vector<unsigned>& children = children_[parent];
    if (number == children.size()) {
        if (names_.size() == address_space::max_threads) {
            give_up(verdict::engine_error, "too many threads", "a program may have 64 threads");
        }
        const auto t = static_cast<unsigned>(names_.size());
        children.push_back(t);
        names_.push_back(names_[parent]);
        names_.back().push_back(number);
        parents_.push_back(parent);
        by_name_.push_back(t);
        std::sort(by_name_.begin(), by_name_.end(), [this](unsigned x, unsigned y) { return names_[x] < names_[y]; });
    }
    return children[number];
}

unsigned engine::spawn(void (*function)(void* body), void* body, const place& at) {
    const unsigned t = child_of(self_, fibers_[self_].spawned++);
    request asked;
    asked.kind = event_kind::spawn;
    asked.operand = t;
    (void)do_operation(asked, at);
    fibers_[t].run = function;
    fibers_[t].body = body;
    start_fiber(t);
    return t;
}

void engine::join(unsigned thread, const place& at) {
    request asked;
    asked.kind = event_kind::join;
    asked.operand = thread;
    (void)do_operation(asked, at);
}

void engine::check(bool condition, const char* message, const place& at) {
    if (condition) {
        return;
    }
    found("assertion", std::string(message) + " (" + at.file_name() + ":" + std::to_string(at.line()) + ")");
    assumption_failed_ = true;
    block();
}

void engine::record(const std::int64_t* values, std::size_t count) {
    outcome_.assign(values, values + count);
    has_outcome_ = true;
}

void engine::refuse(const char* sentence) {
    give_up(verdict::engine_error, "unsupported program", sentence);
}

void engine::violate(const char* kind, const char* message) {
    found(kind, message);
    assumption_failed_ = true;
    block();
}

void engine::assume(bool condition) {
    if (!condition) {
        assumption_failed_ = true;
        block();
    }
}

unsigned engine::choose(unsigned alternatives, const place& at) {
    if (alternatives == 0) {
        refuse("a choice has no alternatives");
    }
    request asked;
    asked.kind = event_kind::choice;
    asked.operand = alternatives;
    const event_id e = do_operation(asked, at);
    return static_cast<unsigned>(g().at(e).value);
}

void engine::free_memory(void* memory, std::size_t bytes, const place& at) {
    request asked;
    asked.kind = event_kind::free;
    asked.operand = reinterpret_cast<std::uintptr_t>(memory);
    asked.desired = bytes;
    (void)do_operation(asked, at);
}

void engine::name(const void* cell, const char* text) {
    const std::uint32_t location = location_of(cell);
    if (location_names_.size() <= location) {
        location_names_.resize(location + 1U, nullptr);
    }
    location_names_[location] = text;
}

std::uint64_t engine::newest(const void* cell) {
    const event_id w = g().newest(location_of(cell));
    return w == no_event ? 0 : g().at(w).value;
}

void engine::finish_execution() {
    bool complete = true;
    bool waits = false;
    std::string waiting;
    bool stuck = !assumption_failed_;
    for (const unsigned t : by_name_) {
        if (!exists(t)) {
            continue;
        }
        const fiber& f = fibers_[t];
        complete = complete && f.state == status::ended;
        const event_id last = g().of(t).last;
        if (f.state == status::blocked && last != no_event && g().at(last).is_unsatisfied) {
            waits = true;
            if (report_.violation.kind.empty()) {
                waiting += (waiting.empty() ? " thread " : ", thread ") + std::to_string(t) + " waits at " +
                           place_of(g().at(last).asked);
            }
            stuck =
                stuck && !g().at(last).asked.is_timed && g().at(last).reads_from == g().newest(g().at(last).location);
        }
    }
    if (complete) {
        ++report_.executions;
        if (how_.each_execution) {
            how_.each_execution(g().hash());
        }
        if (how_.keep_going && g().has_race()) {
            ++report_.racy;
            found("data race", "two accesses of one location, one of them not atomic, are not ordered");
        }
        if (has_outcome_) {
            ++report_.outcomes[outcome_];
        }
    } else if (waits && stuck) {
        ++report_.deadlocks;
        if (report_.violation.kind.empty()) {
            found("deadlock", "no thread can go on:" + waiting);
        }
    } else {
        ++report_.incomplete;
    }
}

void* engine::allocate(std::size_t bytes, std::size_t alignment) {
    return memory_.allocate(self_, bytes, alignment);
}

// What the header calls.

namespace {

// While it lives, the engine runs and not the program.
class inside {
public:
    inside() {
        if (engine::current == nullptr) {
            throw std::logic_error("quiesce::explorer is used outside an exploration");
        }
        engine::runs_program = false;
    }
    inside(const inside&) = delete;
    inside& operator=(const inside&) = delete;
    ~inside() { engine::runs_program = true; }

    engine* operator->() const { return engine::current; }
};

}  // namespace

std::uint64_t perform(const access& a, const place& at, bool* succeeded) {
    return inside()->perform(a, at, succeeded);
}
void fence(std::memory_order o, fence_kind kind, const place& at) {
    inside()->fence(kind == fence_kind::light   ? order::light
                    : kind == fence_kind::heavy ? order::heavy
                                                : order_of(o),
                    at);
}
unsigned spawn(void (*run)(void* body), void* body, const place& at) {
    return inside()->spawn(run, body, at);
}
void join(unsigned thread, const place& at) {
    inside()->join(thread, at);
}
void check(bool condition, const char* message, const place& at) {
    inside()->check(condition, message, at);
}
void violate(const char* kind, const char* message) {
    inside()->violate(kind, message);
}
void refuse(const char* sentence) {
    inside()->refuse(sentence);
}
void assume(bool condition) {
    inside()->assume(condition);
}
unsigned choose(unsigned alternatives, const place& at) {
    return inside()->choose(alternatives, at);
}
void record(const std::int64_t* values, std::size_t count) {
    inside()->record(values, count);
}
void free_memory(void* memory, std::size_t bytes, const place& at) {
    inside()->free_memory(memory, bytes, at);
}
unsigned self() {
    return inside()->self();
}
void name(const void* cell, const char* text) {
    inside()->name(cell, text);
}
std::uint64_t newest(const void* cell) {
    return inside()->newest(cell);
}

}  // namespace quiesce::explorer::detail

namespace quiesce::explorer {

report explore(const std::function<void()>& program, const options& how) {
    return detail::engine(program, how).run();
}

}  // namespace quiesce::explorer
