#include <algorithm>
#include <vector>

#include "proofs/explorer/notation/program.hpp"

namespace quiesce::explorer::litmus {

namespace {

struct holds {
    std::int64_t number;
    comparison compare;

    bool operator()(std::int64_t value) const {
        switch (compare) {
            case comparison::equal: return value == number;
            case comparison::not_equal: return value != number;
            case comparison::at_least: return value >= number;
        }
        return false;
    }
};

using cell = atomic<std::int64_t>;

// One execution.
class execution {
public:
    execution(const program& p, const std::vector<unsigned>& order)
        : program_(p),
          order_(order),
          registers_(p.registers.size(), never_set),
          cells_(p.locations.size()),
          threads_(p.threads.size()) {
        for (unsigned t = 0; t != threads_.size(); ++t) {
            threads_[t] = {this, t};
        }
    }

    void run() {
        for (unsigned i = 0; i != threads_.size(); ++i) {
            const unsigned t = order_.empty() ? i : order_[i];
            if (!program_.spawned[t]) {
                start(t);
            }
        }
        // Those that nobody joins as well: the outcome is of all of them.
        std::vector<bool> joined(threads_.size());
        for (unsigned t = 0; t != threads_.size(); ++t) {
            if (threads_[t].started && !joined[t]) {
                detail::join(threads_[t].id, detail::place::current());
                joined[t] = true;
                t = -1U;  // it may have started one that was passed over
            }
        }
        std::vector<std::int64_t> outcome = registers_;
        for (unsigned x = 0; x != cells_.size(); ++x) {
            if (program_.writers[x] > 1) {
                outcome.push_back(final_value(cells_[x]));
            }
        }
        detail::record(outcome.data(), outcome.size());
    }

private:
    // Not a `thread`: here one may be joined by several.
    struct started_thread {
        execution* of;
        unsigned index;
        unsigned id = 0;
        bool started = false;
    };

    void start(unsigned t) {
        if (threads_[t].started) {
            detail::refuse("a thread is spawned twice");
        }
        const auto run = [](void* self) {
            auto* const mine = static_cast<started_thread*>(self);
            mine->of->body(mine->index);
        };
        threads_[t].id = detail::spawn(run, &threads_[t], detail::place::current());
        threads_[t].started = true;
    }

    std::int64_t value(const operand& o) const {
        if (o.reg < 0) {
            return o.number;
        }
        // Past the largest number comes the smallest, as in an atomic.
        return static_cast<std::int64_t>(static_cast<std::uint64_t>(registers_[static_cast<std::size_t>(o.reg)]) +
                                         static_cast<std::uint64_t>(o.number));
    }

    void body(unsigned t) {
        const std::vector<instruction>& code = program_.threads[t];
        for (std::size_t at = 0; at < code.size(); ++at) {
            const instruction& i = code[at];
            const bool skips =
                i.what == opcode::only_if && registers_[static_cast<std::size_t>(i.reg)] != value(i.first);
            if (skips) {
                at = i.target - std::size_t{1};
            } else {
                one(i);
            }
        }
    }

    void one(const instruction& i) {
        cell* const x = cells_.data() + i.location;
        switch (i.what) {
            case opcode::store:
                if (i.non_atomic) {
                    x->non_atomic_store(value(i.first));
                } else {
                    x->store(value(i.first), i.success);
                }
                break;
            case opcode::load: set(i, i.non_atomic ? x->non_atomic_load() : x->load(i.success)); break;
            case opcode::fence: detail::fence(i.success, i.fence, detail::place::current()); break;
            case opcode::add: set(i, x->fetch_add(value(i.first), i.success)); break;
            case opcode::exchange: set(i, x->exchange(value(i.first), i.success)); break;
            case opcode::compare_exchange: {
                std::int64_t expected = value(i.first);
                const std::int64_t desired = value(i.second);
                // Where it succeeds, `expected` is what was read.
                (void)(i.weak ? x->compare_exchange_weak(expected, desired, i.success, i.failure)
                              : x->compare_exchange_strong(expected, desired, i.success, i.failure));
                set(i, expected);
                break;
            }
            case opcode::await: set(i, x->await(holds{value(i.first), i.compare}, i.success)); break;
            case opcode::await_exchange:
                set(i, x->await_exchange(holds{value(i.first), comparison::equal}, value(i.second), i.success));
                break;
            case opcode::await_add:
                set(i, x->await_add(holds{value(i.first), i.compare}, value(i.second), i.success));
                break;
            case opcode::choose: set(i, choose(static_cast<unsigned>(i.first.number))); break;
            case opcode::spawn: start(i.target); break;
            case opcode::join:
                if (!threads_[i.target].started) {
                    detail::refuse("a thread is joined before it is spawned");
                }
                detail::join(threads_[i.target].id, detail::place::current());
                break;
            case opcode::assume: assume(registers_[static_cast<std::size_t>(i.reg)] == value(i.first)); break;
            case opcode::only_if: break;
        }
    }

    void set(const instruction& i, std::int64_t result) {
        if (i.reg >= 0) {
            registers_[static_cast<std::size_t>(i.reg)] = result;
        }
    }

    const program& program_;
    const std::vector<unsigned>& order_;
    std::vector<std::int64_t> registers_;
    std::vector<cell> cells_;
    std::vector<started_thread> threads_;
};

}  // namespace

report explore(const program& p, options how, const std::vector<unsigned>& order) {
    how.keep_going = true;
    how.find_leaks = false;
    // Each failure is a choice of its own.
    how.spurious_failures = ~0U;
    // Never deleted: threads that nobody joins may outlive the first. Its memory goes with the execution.
    return explorer::explore([&p, &order] { (new execution(p, order))->run(); }, how);
}

std::string describe(const program& p, const std::vector<std::int64_t>& outcome) {
    std::string text = "{";
    const auto add = [&text](const std::string& part) { text += (text.size() > 1 ? "," : "") + part; };
    std::size_t at = 0;
    for (; at != p.registers.size(); ++at) {
        add(outcome[at] == never_set ? "-" : std::to_string(outcome[at]));
    }
    for (std::size_t x = 0; x != p.locations.size(); ++x) {
        if (p.writers[x] > 1) {
            add(p.locations[x] + "=" + std::to_string(outcome[at++]));
        }
    }
    return text + "}";
}

}  // namespace quiesce::explorer::litmus
