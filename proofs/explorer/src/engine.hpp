// One exploration: the search over execution graphs, and the fibers on which the program runs along them.
//
// The search is that of TruSt. It goes forward by running the program: each operation that the graph does not have yet
// adds an event, with the first of its alternatives, and leaves the others behind as a frame. At the end of an
// execution the newest frame's next alternative is taken, and the program is run again along the graph: threads read
// what the graph says, in an order that follows program order and reads-from, so ordinary memory is as it was.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <quiesce/explorer.hpp>
#include "proofs/explorer/src/clocks.hpp"
#include "proofs/explorer/src/graph.hpp"
#include "proofs/explorer/src/memory.hpp"
#include "proofs/explorer/src/text.hpp"
#include "proofs/explorer/src/thread_names.hpp"
#include "proofs/explorer/src/trace.hpp"

namespace quiesce::explorer::detail {

/// As the Itanium C++ ABI lays it out.
struct exceptions_in_flight {
    void* caught = nullptr;
    unsigned uncaught = 0;
};

class engine {
public:
    /// `names` is that of all the processes that explore the program together.
    engine(const std::function<void()>& program, const options& how, thread_names& names);
    ~engine();
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;

    /// Called after each execution: whether to go on.
    using between = std::function<bool()>;

    /// Explores everything, or what a subtree holds, which `split` or `untried` gave away; adds to the report. Returns
    /// false if `goes_on` stopped it.
    bool explore(std::string_view subtree, const between& goes_on);
    /// Goes through orders of operations, as the options say.
    bool explore_orders(const between& goes_on);
    /// A random descent into the tree of the search: how many executions there would be if all were as many as this one
    /// says.
    double probe(std::mt19937_64& random);
    /// Runs the one execution that a violation holds, to find it again.
    void replay(std::string_view graph);
    explorer::report& report() { return report_; }
    /// Whether the search is over, for good or bad.
    bool is_decided() const { return stop_; }
    /// Whether there is another execution. It is passed over then.
    bool has_another() { return next_alternative(); }
    /// Gives away alternatives that were not tried, those that would come last: a subtree, or nothing if there are
    /// none.
    std::string split();
    /// The alternatives that were not tried, as subtrees, in the order in which they would come.
    std::vector<std::string> untried() const;

    // Called by the program, on its fibers.
    std::uint64_t perform(const access& a, const place& at, bool* succeeded);
    void fence(order o, const place& at);
    unsigned spawn(void (*run)(void* body), void* body, const place& at);
    void join(unsigned thread, const place& at);
    void check(bool condition, const char* message, const place& at);
    [[noreturn]] void violate(const char* kind, std::string message);
    void assume(bool condition);
    unsigned choose(unsigned alternatives, const place& at);
    void record(const std::int64_t* values, std::size_t count);
    [[noreturn]] void refuse(const char* sentence);
    std::uint64_t newest(const void* cell, std::size_t bytes, const place& at);
    void name(const void* cell, const char* text);
    void free_memory(void* memory, std::size_t bytes, const place& at);
    unsigned self() const { return self_; }
    std::uint64_t holder() const { return run_ * address_space::max_threads + self_; }
    /// What the program's `new` gets: null by choice.
    void* allocate(std::size_t bytes, std::size_t alignment);
    /// What the program does not give back.
    void* allocate_internal(std::size_t bytes, std::size_t alignment);
    /// What the program's `delete` gives back.
    void release(void* memory);
    void*& thread_value(const void* key);
    void forget_thread_values(const void* key);
    void at_thread_exit(void (*function)(void*), void* argument);
    bool returns_spuriously(const place& at);
    void yield(const place& at);
    /// Called by a signal handler: the program did what the processor refuses. It goes on with `after_fault`.
    void fault(int signal, void* address, bool poisoned);
    [[noreturn]] static void after_fault();
    bool is_idle_too_long();
    unsigned stops_refused() { return stops_refused_++; }
    void* stack_top_of_self() const { return memory_.stack_top(self_); }

    bool owns(const void* memory) const { return memory_.contains(memory); }

    // Of the system's thread: others may explore meanwhile, or allocate.
    static constinit thread_local engine* current;
    /// Whether the program runs, and not the engine.
    static constinit thread_local bool runs_program;

private:
    /// A thread is expected that the graph has, until this run starts it.
    enum class status : std::uint8_t { absent, expected, running, at_frontier, blocked, ended };
    static constexpr unsigned statuses = 6;

    struct fiber {
        status state = status::absent;
        void* stack_pointer = nullptr;
        exceptions_in_flight exceptions;
        void (*run)(void* body) = nullptr;
        void* body = nullptr;
        /// Events of the graph that it has done, and the one that comes next, if there is one.
        unsigned replayed = 0;
        event_id next = no_event;
        /// The operation that it waits to have added.
        const request* pending = nullptr;
        event_id done = no_event;
        /// While it replays: what it needs first.
        int needs_thread = -1;
        unsigned needs_events = 0;
        bool needs_end = false;
        unsigned spawned = 0;
        unsigned spurious_returns = 0;
        unsigned failed_allocations = 0;
        /// Of what is no operation, and that a loop may do for ever.
        unsigned hints = 0;
        std::map<const void*, void*> values;
        std::vector<std::pair<void (*)(void*), void*>> exits;
    };
    /// A schedule is of the searches through orders: which thread is next.
    enum class frame_kind : std::uint8_t { read, write, choice, schedule };
    struct frame {
        frame_kind kind;
        event_id event;
        /// What is still to be tried: a range of `candidates_`, alternatives of a choice, or places, from the last on.
        std::uint32_t next = 0;
        std::uint32_t end = 0;
        std::uint32_t first_candidate = 0;
        /// Of a write: how many places there were.
        std::uint32_t places = 0;
        /// Of a write: the reads that it may revisit, a range of `reads_to_revisit_`.
        bool revisits = false;
        bool revisits_listed = false;
        std::uint32_t first_revisit = 0;
        /// The read that this is a revisit of; the frame owns its graph.
        event_id revisited = no_event;
        bool spurious = false;
        bool then_spuriously = false;
        /// Of a schedule: the changes before it that count, and whether one here does.
        unsigned changes = 0;
        bool change_counts = false;
    };
    struct candidate {
        event_id write;
        bool spurious;
    };
    /// Between two operations of a thread.
    struct moment {
        std::uint64_t run = 0;
        unsigned thread = 0;
        unsigned operations = 0;
        bool operator==(const moment&) const = default;
    };

    /// One execution along the graph, and on from there.
    void execute();

    // In subtree.cpp.
    bool is_untried(std::size_t frame_index) const;
    std::size_t end_of_revisits(std::size_t frame_index) const;
    std::string subtree_of(std::size_t frame_index) const;
    void write_graph(text_writer& to, std::size_t depth, unsigned size) const;
    void write_frame(text_writer& to, std::size_t frame_index) const;
    void read_graph(text_reader& from);
    void read_frame(text_reader& from);
    void fill(event_id e, const request& asked);
    std::uint64_t fingerprint(const graph& of, unsigned size) const;
    [[noreturn]] void is_of_another_program();

    // In engine.cpp.
    [[noreturn]] static void fiber_main();
    static void run_exits(fiber& f);
    void switch_to(unsigned t);
    [[noreturn]] void to_host();
    /// Decides what happens next; returns when it is the calling thread's turn.
    void schedule();
    /// The thread that is extended or goes on, or -1. Two rules: that of the exhaustive search, and orders.
    int next_thread() {
        // Nobody adds to the graph before all have done what is in it: what one reads next may be a pointer to what
        // another one has not built yet.
        const std::uint64_t behind = threads_in(status::running) | threads_in(status::expected);
        return behind != 0 ? static_cast<int>(first_of(behind)) : next_to_extend();
    }
    int next_to_extend();
    int next_in_order();
    /// Follows what threads in replay wait for.
    unsigned ready(unsigned t) {
        return fibers_[t].state == status::running && need_is_met(fibers_[t]) ? t : follow_needs(t);
    }
    unsigned follow_needs(unsigned t);
    bool need_is_met(const fiber& f) const {
        if (f.needs_thread < 0) {
            return true;
        }
        const fiber& other = fibers_[static_cast<unsigned>(f.needs_thread)];
        return f.needs_end ? other.state == status::ended : other.replayed >= f.needs_events;
    }
    bool is_satisfied(const request& await);
    bool has_done_the_last() const;
    event_id do_operation(request& asked, const place& at);
    event_id do_when_possible(event_id e, const request& asked);
    event_id do_first(const request& asked);
    /// Whether what an event of this thread needs is there: the write that it reads, or the end of whom it joins.
    bool has_what_it_needs(const event& e) const {
        if (e.is_read()) {
            return e.reads_from != no_event && has_come(g().at(e.reads_from));
        }
        return e.kind != event_kind::join || fibers_[e.asked.operand].state == status::ended;
    }
    bool has_come(const event& e) const { return e.thread == self_ || fibers_[e.thread].replayed > e.index; }
    /// Adds what the thread is about to do; returns whether it then goes on.
    bool add_operation_of(unsigned t);
    void wait_for(unsigned thread, unsigned events, bool end);
    [[noreturn]] void block();
    [[noreturn]] void give_up(verdict v, const char* kind, std::string message);
    /// The thread that runs goes no further; the execution is incomplete.
    [[noreturn]] void fail_thread();
    std::uint32_t location_of(const access& a, const place& at);
    std::uint32_t location_outside(const access& a, const place& at);
    /// Of an object from outside. It is no operation.
    void construct(const access& a, const place& at);
    unsigned child_of(unsigned parent, unsigned index);
    void know_thread(unsigned t);
    bool exists(unsigned t);
    void start_fiber(unsigned t);
    void set_state(unsigned t, status s);
    void list_states();
    std::uint64_t& threads_in(status s) { return in_state_[static_cast<std::size_t>(s)]; }
    unsigned first_of(std::uint64_t by_name) const {
        return by_name_[static_cast<unsigned>(std::countr_zero(by_name))];
    }
    void has_done(event_id e);
    event_id last_done() const;

    // The search. What returns bool returns whether the graph can be run.
    bool extend(unsigned t);
    bool add_read(unsigned t, const request& asked);
    bool add_write(unsigned t, const request& asked, std::uint64_t value, bool is_update);
    bool add_other(unsigned t, const request& asked);
    /// Adds the write halves that are missing.
    bool complete_updates();
    /// Goes back to the newest alternative that is left; returns whether there was one.
    bool next_alternative();
    bool next_read(std::size_t frame_index);
    bool may_fail_spuriously(event_id read) const;
    bool next_place(std::size_t frame_index);
    bool next_choice(std::size_t frame_index);
    bool next_revisit(std::size_t frame_index);
    void list_revisits(std::size_t frame_index);
    bool next_schedule(std::size_t frame_index);
    void pop_frame();
    template <class Visit>
    bool reads_outside_prefix(event_id write, Visit visit) const;

    // In violations.cpp and fault.cpp.
    /// `culprit` is the event whose addition showed it, if one did.
    void found(const char* kind, std::string message, event_id culprit = no_event);
    void reads_nothing(const request& asked);
    [[noreturn]] void differs(const request& asked, const request& was);
    [[noreturn]] void at_bound(const std::string& last, unsigned operations);
    /// The search stops at a limit, whatever it has found.
    [[noreturn]] void exceeds(const char* limit, std::string message);
    void count_hint(const place& at);
    void finish_execution();
    void finish_complete();
    void finish_waiting();
    void find_leaks();
    void find_memory_errors();
    event_id use_not_before(event_id free);
    /// Returns whether the search goes on through a graph with this access, which may race or use freed memory.
    bool tolerates_access(event_id e);
    bool tolerates_free(event_id e);
    [[noreturn]] void report_fault();
    namer names() const;

    // In orders.cpp.
    bool through_orders() const { return how_.search != search::exhaustive; }
    bool is_random() const { return how_.search == search::pct || how_.search == search::random_walk; }
    void begin_order();
    bool is_enabled(unsigned t);
    /// Between threads; or of those, away from one that is enabled.
    unsigned changes_so_far() const;
    unsigned changes_spent() const;
    int pick_randomly(const std::vector<unsigned>& enabled);
    unsigned random_below(std::size_t n) { return static_cast<unsigned>(random_() % n); }
    bool pick_read(std::size_t frame_index);
    bool pick_place(std::size_t frame_index);

    // In estimate.cpp.
    /// Of each frame one that may lead on; returns how many ways there were.
    double pick_alternatives(std::mt19937_64& random);
    bool take_alternative(std::size_t frame_index, const frame& of, std::size_t which,
                          const std::vector<event_id>& revisits);
    graph& g() { return *graphs_[depth_]; }
    const graph& g() const { return *graphs_[depth_]; }

    const std::function<void()>& program_;
    const options how_;
    explorer::report report_;
    thread_names& thread_names_;
    /// The graph has its shape but not yet what its operations are: this execution says so.
    bool filling_ = false;
    /// Nothing is added to the graph.
    bool frozen_ = false;
    unsigned filled_ = 0;
    /// What is found is known already.
    bool silent_ = false;
    /// A run ends where there are alternatives.
    bool probing_ = false;

    // Of the searches through orders.
    std::mt19937_64 random_;
    unsigned bound_ = 0;
    /// Something was left out because of the bound.
    bool is_cut_ = false;
    std::optional<int> forced_thread_;
    /// The thread that said that others may go first.
    int yielded_ = -1;
    unsigned steps_ = 0;
    unsigned most_steps_ = 0;
    std::vector<std::uint64_t> priorities_;
    std::vector<unsigned> changes_at_;

    address_space memory_;
    clock_pool clocks_;
    std::vector<std::unique_ptr<graph>> graphs_;
    std::size_t depth_ = 0;
    std::vector<frame> frames_;
    std::vector<candidate> candidates_;
    /// Lists of reads to revisit, of the frames that have one, one after the other.
    std::vector<event_id> reads_to_revisit_;
    std::vector<event_id> map_;
    std::vector<const char*> location_names_;
    /// Kinds of violations of this execution, with `keep_going`.
    std::set<std::string> found_;
    int fault_signal_ = 0;
    void* fault_address_ = nullptr;
    bool fault_poisoned_ = false;

    /// A number of this run of the program, of which each has another.
    std::uint64_t run_;
    moment idle_since_;
    double idle_from_ = 0;
    unsigned stops_refused_ = 0;

    std::vector<fiber> fibers_;
    /// Whose how many-th thread each is: the same in every execution.
    std::vector<std::vector<unsigned>> names_;
    std::vector<std::vector<unsigned>> children_;
    /// Threads by name: the order in which they are preferred; and of each its place there.
    std::vector<unsigned> by_name_;
    std::array<unsigned, address_space::max_threads> rank_{};
    /// The threads in each state, as bits by name.
    std::array<std::uint64_t, statuses> in_state_{};
    unsigned self_ = 0;
    void* host_stack_ = nullptr;
    exceptions_in_flight* exceptions_ = nullptr;
    exceptions_in_flight host_exceptions_;
    bool dead_ = false;
    bool stop_ = false;
    bool assumption_failed_ = false;
    std::vector<std::int64_t> outcome_;
    bool has_outcome_ = false;
};

}  // namespace quiesce::explorer::detail
