// Candidates are built by letting every read take its value from any instruction that may write its location, and every
// location have its writes in any order. What is not a possible execution is thrown away afterwards.
#include "proofs/explorer/tests/brute_force.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>

#include "proofs/explorer/tests/axioms.hpp"
#include "proofs/explorer/tests/relation.hpp"

namespace quiesce::explorer::tests {

namespace {

using litmus::comparison;
using litmus::instruction;
using litmus::opcode;

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

template <class Visit>
void for_each_order(const execution& e, std::size_t locations, Visit visit) {
    modification_orders orders(locations);
    for (unsigned w = 0; w != e.events.size(); ++w) {
        if (e.events[w].writes) {
            orders[e.events[w].location].push_back(w);
        }
    }
    // Each location's orders are gone through once for each of the orders of those after it.
    const std::function<void(std::size_t)> permute = [&](std::size_t x) {
        if (x == locations) {
            visit(orders);
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
            const judgement as_judged = judge(e->events, orders, model, wrong);
            if (!as_judged.consistent) {
                return;
            }
            if (!e->complete) {
                ++found.deadlocks;
                return;
            }
            ++found.complete;
            found.racy += as_judged.racy ? 1 : 0;
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
