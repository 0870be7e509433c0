// A register is an ordinary variable, whose value would be a matter of chance if two threads used it at once.
#include <map>
#include <set>

#include "proofs/explorer/notation/program.hpp"

namespace quiesce::explorer::litmus {

namespace {

struct place {
    unsigned thread;
    std::size_t at;

    auto operator<=>(const place&) const = default;
};

// What comes before what by the text alone: in a thread, by spawn, and by join.
class program_order {
public:
    explicit program_order(const program& p) : program_(p), spawned_at_(p.threads.size()) {
        for (unsigned t = 0; t != p.threads.size(); ++t) {
            for (std::size_t at = 0; at != p.threads[t].size(); ++at) {
                if (p.threads[t][at].what == opcode::spawn) {
                    spawned_at_[p.threads[t][at].target].push_back({t, at});
                }
            }
        }
    }

    bool before(place a, place b) {
        known_.clear();
        return is_before(a, b);
    }

private:
    bool is_before(place a, place b) {
        if (a.thread == b.thread) {
            return a.at < b.at;
        }
        // No, until it is known: threads that spawn each other never start.
        const auto [known, is_new] = known_.try_emplace(b, false);
        if (is_new) {
            known->second = is_before_elsewhere(a, b);
        }
        return known->second;
    }

    bool is_before_elsewhere(place a, place b) {
        const std::vector<instruction>& code = program_.threads[b.thread];
        for (std::size_t at = 0; at != b.at; ++at) {
            const unsigned joined = code[at].target;
            if (code[at].what == opcode::join && happens_if(b.thread, at, b.at) &&
                (joined == a.thread || is_before(a, {joined, program_.threads[joined].size()}))) {
                return true;
            }
        }
        for (const place spawn : spawned_at_[b.thread]) {
            if (!is_before(a, spawn)) {
                return false;
            }
        }
        return !spawned_at_[b.thread].empty();
    }

    // Whether who comes to `later` has been at the instruction, which no IF has passed over.
    bool happens_if(unsigned thread, std::size_t at, std::size_t later) const {
        for (std::size_t i = 0; i != at; ++i) {
            const instruction& branch = program_.threads[thread][i];
            if (branch.what == opcode::only_if && branch.target > at && branch.target <= later) {
                return false;
            }
        }
        return true;
    }

    const program& program_;
    std::vector<std::vector<place>> spawned_at_;
    std::map<place, bool> known_;
};

struct uses {
    std::set<place> of;
    std::set<place> sets;
};

}  // namespace

void check_registers(const program& p) {
    std::vector<uses> registers(p.registers.size());
    for (unsigned t = 0; t != p.threads.size(); ++t) {
        for (std::size_t at = 0; at != p.threads[t].size(); ++at) {
            const instruction& i = p.threads[t][at];
            for (const int r : {i.reg, i.first.reg, i.second.reg}) {
                if (r >= 0) {
                    registers[static_cast<std::size_t>(r)].of.insert({t, at});
                }
            }
            if (i.reg >= 0 && i.what != opcode::only_if && i.what != opcode::assume) {
                registers[static_cast<std::size_t>(i.reg)].sets.insert({t, at});
            }
        }
    }
    program_order order(p);
    for (std::size_t r = 0; r != registers.size(); ++r) {
        if (registers[r].sets.empty()) {
            throw notation_error("nothing sets the register '" + p.registers[r] + "'");
        }
        for (const place set : registers[r].sets) {
            for (const place use : registers[r].of) {
                if (set.thread != use.thread && !order.before(set, use) && !order.before(use, set)) {
                    throw notation_error("the threads " + std::to_string(set.thread) + " and " +
                                         std::to_string(use.thread) + " use the register '" + p.registers[r] +
                                         "', and neither is spawned or joined in between");
                }
            }
        }
    }
}

}  // namespace quiesce::explorer::litmus
