// Candidates are built by letting every read take its value from any instruction that may write its location, and every
// location have its writes in any order. What is not a possible execution is thrown away afterwards.
#include "proofs/explorer/tests/brute_force.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>

namespace quiesce::explorer::tests {

namespace {

using detail::fence_kind;
using litmus::comparison;
using litmus::instruction;
using litmus::opcode;

constexpr unsigned most_events = 32;
using event_set = std::uint32_t;

class relation {
public:
    explicit relation(unsigned events) : events_(events) {}

    bool has(unsigned a, unsigned b) const { return (rows_[a] >> b & 1U) != 0; }
    void add(unsigned a, unsigned b) { rows_[a] |= event_set{1} << b; }

    relation operator|(const relation& other) const {
        relation both(events_);
        for (unsigned a = 0; a != events_; ++a) {
            both.rows_[a] = rows_[a] | other.rows_[a];
        }
        return both;
    }
    /// A step of this one, then a step of the other.
    relation operator*(const relation& other) const {
        relation steps(events_);
        for (unsigned a = 0; a != events_; ++a) {
            for (unsigned b = 0; b != events_; ++b) {
                if (has(a, b)) {
                    steps.rows_[a] |= other.rows_[b];
                }
            }
        }
        return steps;
    }
    relation inverse() const {
        return where([this](unsigned a, unsigned b) { return has(b, a); });
    }
    relation closure() const {
        relation reached = *this;
        for (unsigned via = 0; via != events_; ++via) {
            for (unsigned a = 0; a != events_; ++a) {
                if (reached.has(a, via)) {
                    reached.rows_[a] |= reached.rows_[via];
                }
            }
        }
        return reached;
    }
    template <class Condition>
    relation only(Condition condition) const {
        return where([&](unsigned a, unsigned b) { return has(a, b) && condition(a, b); });
    }
    template <class Condition>
    relation where(Condition condition) const {
        relation found(events_);
        for (unsigned a = 0; a != events_; ++a) {
            for (unsigned b = 0; b != events_; ++b) {
                if (condition(a, b)) {
                    found.add(a, b);
                }
            }
        }
        return found;
    }
    bool irreflexive() const {
        for (unsigned a = 0; a != events_; ++a) {
            if (has(a, a)) {
                return false;
            }
        }
        return true;
    }
    bool acyclic() const { return closure().irreflexive(); }

private:
    unsigned events_;
    std::array<event_set, most_events> rows_{};
};

// A read-modify-write that succeeds is one event.
struct event {
    static constexpr unsigned no_thread = ~0U;

    unsigned thread = no_thread;
    bool reads = false;
    bool writes = false;
    bool non_atomic = false;
    unsigned location = 0;
    std::memory_order order = std::memory_order_relaxed;
    std::int64_t value = 0;
    unsigned source = 0;
    /// For what is not an access.
    opcode other = opcode::store;
    fence_kind fence = fence_kind::standard;
    unsigned other_thread = 0;

    bool is_access() const { return reads || writes; }
    bool is_fence() const { return other == opcode::fence; }
};

struct waiting {
    unsigned location;
    comparison compare;
    std::int64_t number;
};

// What the threads did, but for the order of the writes of a location. The initial writes are the first events.
struct execution {
    std::vector<event> events;
    std::vector<std::int64_t> registers;
    std::vector<waiting> awaits;
    bool complete = true;
};

bool satisfies(std::int64_t value, comparison compare, std::int64_t number) {
    switch (compare) {
        case comparison::equal: return value == number;
        case comparison::not_equal: return value != number;
        case comparison::at_least: return value >= number;
    }
    return false;
}

// The sequences of answers to questions that depend on the answers so far.
class questions {
public:
    unsigned ask(unsigned answers) {
        if (asked_ == given_.size()) {
            given_.push_back({0, answers});
        }
        return given_[asked_++].first;
    }
    bool next() {
        asked_ = 0;
        while (!given_.empty() && given_.back().first + 1 == given_.back().second) {
            given_.pop_back();
        }
        if (given_.empty()) {
            return false;
        }
        ++given_.back().first;
        return true;
    }

private:
    std::vector<std::pair<unsigned, unsigned>> given_;
    std::size_t asked_ = 0;
};

// A run with given answers. A read waits until what it reads has been written, so what would need itself never
// happens: that is the axiom that program order and reads-from have no cycle.
class run {
public:
    run(const litmus::program& p, questions& q, mistake wrong)
        : program_(p), questions_(q), wrong_(wrong), threads_(p.threads.size()) {
        result_.registers.assign(p.registers.size(), litmus::never_set);
        for (unsigned x = 0; x != p.locations.size(); ++x) {
            result_.events.push_back({.writes = true, .location = x});
        }
        for (unsigned t = 0; t != threads_.size(); ++t) {
            threads_[t].state = p.spawned[t] ? not_spawned : runs;
            threads_[t].writes.resize(p.threads[t].size(), unknown);
            threads_[t].source.resize(p.threads[t].size(), unknown);
        }
    }

    /// Nothing where the answers contradict each other.
    std::optional<execution> go() {
        for (bool progress = true; progress;) {
            progress = false;
            for (unsigned t = 0; t != threads_.size(); ++t) {
                while (!impossible_ && threads_[t].state == runs && step(t)) {
                    progress = true;
                }
            }
            if (impossible_) {
                return std::nullopt;
            }
        }
        for (unsigned t = 0; t != threads_.size(); ++t) {
            if (threads_[t].state == runs) {
                if (program_.threads[t][threads_[t].at].what != opcode::join) {
                    return std::nullopt;
                }
                result_.complete = false;
            } else if (threads_[t].state == blocked) {
                result_.complete = false;
            }
        }
        return std::move(result_);
    }

private:
    static constexpr unsigned unknown = ~0U;

    enum state_of_thread { not_spawned, runs, ended, blocked };

    struct thread_state {
        state_of_thread state = runs;
        unsigned at = 0;
        /// By instruction: the event that writes, and which of the possible sources is read.
        std::vector<unsigned> writes;
        std::vector<unsigned> source;
    };

    struct place {
        unsigned thread;
        unsigned at;
    };

    std::int64_t value(const litmus::operand& o) const {
        return o.reg < 0 ? o.number : result_.registers[static_cast<std::size_t>(o.reg)] + o.number;
    }

    void set(const instruction& i, std::int64_t to) {
        if (i.reg >= 0) {
            result_.registers[static_cast<std::size_t>(i.reg)] = to;
        }
    }

    void add(unsigned t, event e) {
        e.thread = t;
        result_.events.push_back(e);
    }

    bool step(unsigned t) {
        thread_state& me = threads_[t];
        if (me.at == program_.threads[t].size()) {
            me.state = ended;
            return true;
        }
        const instruction& i = program_.threads[t][me.at];
        switch (i.what) {
            case opcode::only_if:
                if (result_.registers[static_cast<std::size_t>(i.reg)] != value(i.first)) {
                    me.at = i.target;
                    return true;
                }
                break;
            case opcode::assume:
                impossible_ = result_.registers[static_cast<std::size_t>(i.reg)] != value(i.first);
                break;
            case opcode::choose:
                // An event as a fence of no order is: psc can go through it as through another location.
                add(t, {.other = i.what});
                set(i, questions_.ask(static_cast<unsigned>(i.first.number)));
                break;
            case opcode::fence: add(t, {.order = i.success, .other = i.what, .fence = i.fence}); break;
            case opcode::spawn:
                add(t, {.other = i.what, .other_thread = i.target});
                threads_[i.target].state = runs;
                break;
            case opcode::join:
                if (threads_[i.target].state != ended) {
                    return false;
                }
                add(t, {.other = i.what, .other_thread = i.target});
                break;
            case opcode::store:
                me.writes[me.at] = static_cast<unsigned>(result_.events.size());
                add(t, {.writes = true,
                        .non_atomic = i.non_atomic,
                        .location = i.location,
                        .order = i.success,
                        .value = value(i.first)});
                break;
            case opcode::load:
            case opcode::add:
            case opcode::exchange:
            case opcode::compare_exchange:
            case opcode::await:
            case opcode::await_exchange:
            case opcode::await_add:
                if (!read(t, i)) {
                    return false;
                }
                break;
        }
        ++me.at;
        return true;
    }

    // Option 0 is the initial write, then the instructions that may write the location.
    std::vector<place> writers(unsigned location) const {
        std::vector<place> found;
        for (unsigned t = 0; t != threads_.size(); ++t) {
            for (unsigned at = 0; at != program_.threads[t].size(); ++at) {
                const instruction& i = program_.threads[t][at];
                switch (i.what) {
                    case opcode::store:
                    case opcode::add:
                    case opcode::exchange:
                    case opcode::compare_exchange:
                    case opcode::await_exchange:
                    case opcode::await_add:
                        if (i.location == location) {
                            found.push_back({t, at});
                        }
                        break;
                    default: break;
                }
            }
        }
        return found;
    }

    bool read(unsigned t, const instruction& i) {
        thread_state& me = threads_[t];
        const bool awaits = i.what == opcode::await || i.what == opcode::await_exchange || i.what == opcode::await_add;
        const comparison compare = i.what == opcode::await_exchange ? comparison::equal : i.compare;
        const std::vector<place> sources = writers(i.location);
        if (me.source[me.at] == unknown) {
            me.source[me.at] = questions_.ask(static_cast<unsigned>(sources.size()) + (awaits ? 2 : 1));
        }
        const unsigned option = me.source[me.at];
        if (option == sources.size() + 1) {
            me.state = blocked;
            result_.awaits.push_back({i.location, compare, value(i.first)});
            return false;
        }
        unsigned source = i.location;
        if (option != 0) {
            const place from = sources[option - 1];
            const thread_state& other = threads_[from.thread];
            if (other.writes[from.at] == unknown) {
                impossible_ = other.at > from.at;
                return false;
            }
            source = other.writes[from.at];
        }
        const std::int64_t found = result_.events[source].value;
        if (awaits && !satisfies(found, compare, value(i.first))) {
            impossible_ = true;
            return false;
        }
        event e{
            .reads = true, .non_atomic = i.non_atomic, .location = i.location, .order = i.success, .source = source};
        switch (i.what) {
            case opcode::add: write(e, found + value(i.first)); break;
            case opcode::exchange: write(e, value(i.first)); break;
            case opcode::await_exchange: write(e, value(i.second)); break;
            case opcode::await_add: write(e, found + value(i.second)); break;
            case opcode::compare_exchange:
                if (found == value(i.first) &&
                    !(i.weak && wrong_ != mistake::no_spurious_failure && questions_.ask(2) == 1)) {
                    write(e, value(i.second));
                } else if (wrong_ != mistake::success_order_on_failure) {
                    e.order = i.failure;
                }
                break;
            default: break;
        }
        if (e.writes) {
            me.writes[me.at] = static_cast<unsigned>(result_.events.size());
        }
        add(t, e);
        set(i, found);
        return true;
    }

    static void write(event& e, std::int64_t value) {
        e.writes = true;
        e.value = value;
    }

    const litmus::program& program_;
    questions& questions_;
    mistake wrong_;
    std::vector<thread_state> threads_;
    execution result_;
    bool impossible_ = false;
};

using modification_orders = std::vector<std::vector<unsigned>>;

// An execution with the order of the writes of each location.
class candidate {
public:
    candidate(const execution& e, const modification_orders& orders, memory_model model, mistake wrong)
        : events_(e.events), count_(static_cast<unsigned>(e.events.size())), model_(model), wrong_(wrong) {
        for (const std::vector<unsigned>& order : orders) {
            for (unsigned a = 0; a != order.size(); ++a) {
                for (unsigned b = a + 1; b != order.size(); ++b) {
                    mo_.add(order[a], order[b]);
                }
            }
        }
        for (unsigned r = 0; r != count_; ++r) {
            if (events_[r].reads) {
                rf_.add(events_[r].source, r);
            }
        }
        fr_ = (rf_.inverse() * mo_).only([](unsigned a, unsigned b) { return a != b; });
        if (wrong_ != mistake::no_atomicity && !atomic()) {
            return;
        }
        po_ = po_.where([this](unsigned a, unsigned b) {
            return a < b && events_[a].thread == events_[b].thread && events_[a].thread != event::no_thread;
        });
        starts_and_joins();
        synchronise();
        hb_ = (po_ | threads_ | sw_).closure();
        consistent_ = model_ == memory_model::sc
                          ? interleaved()
                          : (wrong_ == mistake::no_coherence || coherent()) &&
                                (wrong_ == mistake::no_seq_cst ||
                                 (model_ == memory_model::cpp20 ? has_total_order() : psc_acyclic()));
    }

    bool consistent() const { return consistent_; }

    bool racy() const {
        for (unsigned a = 0; a != count_; ++a) {
            for (unsigned b = 0; b != a; ++b) {
                const event& x = events_[a];
                const event& y = events_[b];
                if (same_location(a, b) && x.thread != y.thread && (x.writes || y.writes) &&
                    (x.non_atomic || y.non_atomic) && !hb_.has(a, b) && !hb_.has(b, a)) {
                    return true;
                }
            }
        }
        return false;
    }

private:
    bool same_location(unsigned a, unsigned b) const {
        return events_[a].is_access() && events_[b].is_access() && events_[a].location == events_[b].location;
    }
    bool updates(unsigned a) const { return events_[a].reads && events_[a].writes; }

    bool atomic() const {
        for (unsigned u = 0; u != count_; ++u) {
            if (updates(u)) {
                const unsigned source = events_[u].source;
                if (!mo_.has(source, u)) {
                    return false;
                }
                for (unsigned w = 0; w != count_; ++w) {
                    if (mo_.has(source, w) && mo_.has(w, u)) {
                        return false;
                    }
                }
            }
        }
        return true;
    }

    // The initial writes come before every thread.
    void starts_and_joins() {
        for (unsigned a = 0; a != count_; ++a) {
            for (unsigned b = 0; b != count_; ++b) {
                const event& x = events_[a];
                const event& y = events_[b];
                const bool starts = x.other == opcode::spawn && x.other_thread == y.thread;
                const bool joins = y.other == opcode::join && y.other_thread == x.thread;
                const bool both =
                    x.other == opcode::spawn && y.other == opcode::join && x.other_thread == y.other_thread;
                const bool initial = x.thread == event::no_thread && y.thread != event::no_thread;
                if (starts || joins || both || initial) {
                    threads_.add(a, b);
                }
            }
        }
    }

    enum class strength : std::uint8_t { none, light, full, heavy };

    static bool is_release(std::memory_order o) {
        return o == std::memory_order_release || o == std::memory_order_acq_rel || o == std::memory_order_seq_cst;
    }
    static bool is_acquire(std::memory_order o) {
        return o == std::memory_order_acquire || o == std::memory_order_acq_rel || o == std::memory_order_seq_cst;
    }

    // How `a` takes part on the side of a write, or of a read, that is `access`.
    template <class IsStrong>
    strength side(unsigned a, unsigned access, bool before, IsStrong is_strong) const {
        const event& e = events_[a];
        if (a == access) {
            return model_ == memory_model::sc || is_strong(e.order) ? strength::full : strength::none;
        }
        if (!e.is_fence() || wrong_ == mistake::no_fence_synchronisation || model_ == memory_model::sc ||
            !(before ? po_.has(a, access) : po_.has(access, a))) {
            return strength::none;
        }
        switch (e.fence) {
            case fence_kind::light: return wrong_ == mistake::light_fence_is_seq_cst ? strength::full : strength::light;
            case fence_kind::heavy: return strength::heavy;
            case fence_kind::standard: break;
        }
        return is_strong(e.order) ? strength::full : strength::none;
    }

    bool makes_order(unsigned access) const {
        return !events_[access].non_atomic || wrong_ == mistake::non_atomics_synchronise;
    }

    // From a write to those of its release sequence, itself among them.
    relation release_sequences() const {
        relation sequence(count_);
        relation links(count_);
        for (unsigned w = 0; w != count_; ++w) {
            if (!events_[w].writes || events_[w].thread == event::no_thread || !makes_order(w)) {
                continue;
            }
            sequence.add(w, w);
            for (unsigned u = 0; u != count_; ++u) {
                if (updates(u) && events_[u].source == w && wrong_ != mistake::no_release_sequences) {
                    links.add(w, u);
                }
            }
        }
        sequence = sequence | sequence * links.closure();
        if (wrong_ == mistake::old_release_sequences) {
            const auto belongs = [this](unsigned head, unsigned w) {
                return updates(w) || events_[w].thread == events_[head].thread;
            };
            sequence = sequence | mo_.only([&](unsigned head, unsigned last) {
                if (!sequence.has(head, head) || !belongs(head, last)) {
                    return false;
                }
                for (unsigned w = 0; w != count_; ++w) {
                    if (mo_.has(head, w) && mo_.has(w, last) && !belongs(head, w)) {
                        return false;
                    }
                }
                return true;
            });
        }
        return sequence;
    }

    void synchronise() {
        const relation read_from = release_sequences() * rf_;
        for (unsigned w = 0; w != count_; ++w) {
            for (unsigned r = 0; r != count_; ++r) {
                if (!read_from.has(w, r) || !makes_order(r)) {
                    continue;
                }
                for (unsigned a = 0; a != count_; ++a) {
                    const strength release = side(a, w, true, is_release);
                    for (unsigned b = 0; b != count_ && release != strength::none; ++b) {
                        const strength acquire = side(b, r, false, is_acquire);
                        if (acquire != strength::none && (release != strength::light || acquire == strength::heavy) &&
                            (acquire != strength::light || release == strength::heavy)) {
                            sw_.add(a, b);
                        }
                    }
                }
            }
        }
    }

    // A read-modify-write's own write comes after its read, so reading a write that is mo-after it is against the
    // same rule as in two events.
    bool coherent() const {
        const relation later = mo_ | fr_;
        const relation between = rf_ | later | later * rf_;
        return hb_.irreflexive() && (hb_ * between).irreflexive() && (mo_ * rf_).irreflexive();
    }

    bool interleaved() const {
        const relation order = po_ | threads_ | rf_ | mo_;
        return (wrong_ == mistake::old_reads_in_sc ? order : order | fr_).acyclic();
    }

    bool light(unsigned a) const {
        return events_[a].is_fence() && events_[a].fence == fence_kind::light &&
               wrong_ != mistake::light_fence_is_seq_cst;
    }
    bool heavy(unsigned a) const { return events_[a].is_fence() && events_[a].fence == fence_kind::heavy; }
    bool seq_cst(unsigned a) const {
        const event& e = events_[a];
        if (e.is_fence() && e.fence != fence_kind::standard) {
            return !light(a);
        }
        return (e.is_access() || e.is_fence()) && !e.non_atomic && e.order == std::memory_order_seq_cst;
    }
    bool seq_cst_fence(unsigned a) const { return events_[a].is_fence() && seq_cst(a); }

    // From a seq_cst event to itself, and from a fence to what happens after it.
    relation out() const {
        return hb_.where(
            [this](unsigned a, unsigned b) { return seq_cst(a) && (a == b || (seq_cst_fence(a) && hb_.has(a, b))); });
    }
    relation in() const {
        return hb_.where(
            [this](unsigned a, unsigned b) { return seq_cst(b) && (a == b || (seq_cst_fence(b) && hb_.has(a, b))); });
    }

    bool psc_acyclic() const {
        const relation elsewhere = po_.where([this](unsigned a, unsigned b) {
            return (po_.has(a, b) && !same_location(a, b)) ||
                   (wrong_ == mistake::two_locations && a == b && updates(a));
        });
        const relation scb = po_ | elsewhere * hb_ * elsewhere |
                             hb_.only([this](unsigned a, unsigned b) { return same_location(a, b); }) | mo_ | fr_;
        const relation eco = (rf_ | mo_ | fr_).closure();
        const relation fences = hb_ | hb_ * eco * hb_;
        const relation psc_base = out() * scb * in();
        const relation psc_fences =
            fences.only([this](unsigned a, unsigned b) { return seq_cst_fence(a) && seq_cst_fence(b); });
        const relation asymmetric =
            fences.only([this](unsigned a, unsigned b) { return (light(a) && heavy(b)) || (heavy(a) && light(b)); });
        const relation without_fences = psc_base | asymmetric;
        if (wrong_ == mistake::no_fence_order) {
            return without_fences.acyclic();
        }
        return (without_fences | psc_fences).acyclic();
    }

    // A total order respects a relation if that has no cycle.
    bool has_total_order() const {
        const relation coherence_ordered = (wrong_ == mistake::reads_from_not_in_s ? mo_ | fr_ : rf_ | mo_ | fr_)
                                               .closure()
                                               .only([](unsigned a, unsigned b) { return a != b; });
        const auto both_seq_cst = [this](unsigned a, unsigned b) { return seq_cst(a) && seq_cst(b); };
        const relation sequenced = po_ | threads_;
        const relation strongly =
            (sequenced | sw_.only(both_seq_cst) | sequenced.closure() * hb_ * sequenced.closure()).closure();
        const relation& before = wrong_ == mistake::happens_before_in_s ? hb_ : strongly;
        return (before.only(both_seq_cst) | out() * coherence_ordered * in()).acyclic();
    }

    const std::vector<event>& events_;
    unsigned count_;
    memory_model model_;
    mistake wrong_;
    relation po_{count_};
    relation rf_{count_};
    relation mo_{count_};
    relation fr_{count_};
    relation threads_{count_};
    relation sw_{count_};
    relation hb_{count_};
    bool consistent_ = false;
};

template <class Judge>
void for_each_order(const execution& e, std::size_t locations, Judge judge) {
    modification_orders orders(locations);
    for (unsigned w = 0; w != e.events.size(); ++w) {
        if (e.events[w].writes) {
            orders[e.events[w].location].push_back(w);
        }
    }
    // Each location's orders are gone through once for each of the orders of those after it.
    const std::function<void(std::size_t)> permute = [&](std::size_t x) {
        if (x == locations) {
            judge(orders);
            return;
        }
        do {
            permute(x + 1);
        } while (std::next_permutation(orders[x].begin() + 1, orders[x].end()));
    };
    permute(0);
}

}  // namespace

enumeration enumerate(const litmus::program& p, memory_model model, mistake wrong) {
    enumeration found;
    questions q;
    do {
        const std::optional<execution> e = run(p, q, wrong).go();
        if (!e || (!e->complete && e->awaits.empty())) {
            continue;
        }
        if (e->events.size() > most_events) {
            throw std::length_error("the program has too many events");
        }
        for_each_order(*e, p.locations.size(), [&](const modification_orders& orders) {
            const auto newest = [&](unsigned x) { return e->events[orders[x].back()].value; };
            const bool goes_on = std::any_of(e->awaits.begin(), e->awaits.end(), [&](const waiting& w) {
                return satisfies(newest(w.location), w.compare, w.number);
            });
            if (goes_on && wrong != mistake::impatient_deadlock) {
                return;
            }
            const candidate c(*e, orders, model, wrong);
            if (!c.consistent()) {
                return;
            }
            if (!e->complete) {
                ++found.deadlocks;
                return;
            }
            ++found.complete;
            found.racy += c.racy() ? 1 : 0;
            std::vector<std::int64_t> outcome = e->registers;
            for (unsigned x = 0; x != p.locations.size(); ++x) {
                if (p.writers[x] > 1) {
                    outcome.push_back(newest(x));
                }
            }
            ++found.outcomes[outcome];
        });
    } while (q.next());
    return found;
}

bool has_at_most(const litmus::program& p, std::uint64_t most) {
    std::uint64_t candidates = 0;
    questions q;
    do {
        const std::optional<execution> e = run(p, q, mistake::none).go();
        std::uint64_t orders = 1;
        if (e) {
            if (e->events.size() > most_events) {
                return false;
            }
            std::vector<std::uint64_t> writes(p.locations.size());
            for (const event& one : e->events) {
                if (one.writes && one.thread != event::no_thread) {
                    orders *= ++writes[one.location];
                }
            }
        }
        candidates += orders;
        if (candidates > most) {
            return false;
        }
    } while (q.next());
    return true;
}

}  // namespace quiesce::explorer::tests
