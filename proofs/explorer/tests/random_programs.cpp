#include "proofs/explorer/tests/random_programs.hpp"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "proofs/explorer/tests/brute_force.hpp"

namespace quiesce::explorer::tests {

namespace {

// A program above the bound is replaced: by the number of candidates and not by time, so that a seed means the same
// programs everywhere.
constexpr std::uint64_t most_candidates = 20'000;

class generator {
public:
    generator(std::mt19937_64& random, bool blocking) : random_(random), blocking_(blocking) {}

    std::string program() {
        threads_ = pick({2U, 2U, 2U, 3U, 3U, 3U, 4U});
        locations_ = pick({2U, 2U, 2U, 3U});
        strong_ = one_in(2);
        non_atomic_ = one_in(6);
        asymmetric_ = one_in(8);
        fences_ = asymmetric_ || one_in(2);
        // Fences order most where the accesses do not.
        relaxed_ = fences_ && !one_in(3);
        updates_ = one_in(2);
        spawner_.assign(threads_, threads_);
        for (unsigned t = 1; blocking_ && t != threads_; ++t) {
            if (one_in(6)) {
                spawner_[t] = below(t);
            }
        }
        const unsigned most = threads_ == 2 ? 6 : threads_ == 3 ? 5 : 4;
        std::string text;
        for (unsigned t = 0; t != threads_; ++t) {
            text += (t == 0 ? "" : " | ") + ("T" + std::to_string(t) + ": " + thread(t, 1 + below(most)));
        }
        return text;
    }

private:
    // Not one of the standard distributions: those differ between libraries.
    unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }
    bool one_in(unsigned n) { return below(n) == 0; }
    template <class T>
    T pick(std::initializer_list<T> from) {
        return from.begin()[below(static_cast<unsigned>(from.size()))];
    }

    // Orders matter between accesses of different locations.
    std::string location() {
        const unsigned same = location_;
        while (location_ == same) {
            location_ = below(locations_);
            if (one_in(4)) {
                break;
            }
        }
        return std::string(1, "xyz"[location_]);
    }

    std::string order(std::initializer_list<const char*> weak) {
        if (relaxed_ && !one_in(4)) {
            return "rlx";
        }
        return strong_ && !one_in(3) ? "sc" : pick(weak);
    }
    std::string load_order() { return order({"rlx", "rlx", "acq", "acq", "sc"}); }
    std::string store_order() { return order({"rlx", "rlx", "rel", "rel", "sc"}); }
    std::string update_order() { return order({"rlx", "acq", "rel", "ar", "sc"}); }
    std::string failure_order() { return pick({"rlx", "acq", "sc"}); }

    std::string number() { return pick({"0", "1", "1", "1", "2", "2"}); }
    // Registers that are set whatever the thread's conditions come to.
    std::string value() {
        if (set_.empty() || !one_in(6)) {
            return number();
        }
        const std::string from = "$" + any_register();
        return one_in(4) ? from + "+1" : from;
    }
    const std::string& any_register() { return set_[below(static_cast<unsigned>(set_.size()))]; }

    // The elements of a list in braces are evaluated from left to right, unlike the operands of an operator.
    static std::string words(std::initializer_list<std::string> all) {
        std::string text;
        for (const std::string& word : all) {
            text += (text.empty() ? "" : " ") + word;
        }
        return text;
    }

    std::string into(bool conditional) {
        const std::string name = "r" + std::to_string(++registers_);
        if (!conditional) {
            set_.push_back(name);
        }
        return "-> " + name;
    }

    std::string fence() {
        if (asymmetric_ && !one_in(3)) {
            return pick({"F lt", "F hv"});
        }
        return words({"F", strong_ && one_in(2) ? "sc" : pick({"acq", "rel", "ar", "sc", "sc", "rlx"})});
    }

    std::string waiting(bool conditional) {
        switch (below(6)) {
            case 0: {
                const std::string at = location();
                const std::string lock = words({"LK", at, "0 1", update_order()});
                return lock + "; " + words({"W", at, "0", store_order()});
            }
            case 1: return words({"LK", location(), number(), value(), update_order()});
            case 2: return words({"AADD", location(), "ge 1 -1", update_order()});
            case 3: return words({"AADD", location(), pick({"eq", "ne"}), number(), "1", update_order()});
            default:
                return words({"AW", location(), pick({"eq", "ne", "ge"}), value(), load_order(), into(conditional)});
        }
    }

    std::string update(bool conditional) {
        switch (below(4)) {
            case 0: return words({"ADD", location(), value(), update_order(), into(conditional)});
            case 1: return words({"XCHG", location(), value(), update_order(), into(conditional)});
            default:
                return words({pick({"CAS", "CAS", "WCAS"}), location(), value(), value(), update_order(),
                              failure_order(), into(conditional)});
        }
    }

    std::string operation(bool conditional) {
        if (blocking_ && one_in(4)) {
            return waiting(conditional);
        }
        if (blocking_ && one_in(12)) {
            return words({"CH", pick({"2", "3"}), into(conditional)});
        }
        if (one_in(12)) {
            return fence();
        }
        if (one_in(updates_ ? 3 : 8)) {
            return update(conditional);
        }
        if (non_atomic_ && one_in(3)) {
            return one_in(2) ? words({"NW", location(), value()}) : words({"NR", location(), into(conditional)});
        }
        return one_in(2) ? words({"W", location(), value(), store_order()})
                         : words({"R", location(), load_order(), into(conditional)});
    }

    std::string thread(unsigned me, unsigned length) {
        set_.clear();
        std::vector<std::string> parts;
        for (unsigned n = 0; n < length; ++n) {
            if (!set_.empty() && one_in(7)) {
                // One part, so that no thread is spawned within.
                std::string part = words({"IF", any_register(), pick({"0", "1"}), ";", operation(true), ";"});
                if (one_in(3)) {
                    ++n;
                    part += words({"", operation(true), ";"});
                }
                parts.push_back(part + " FI");
            } else if (blocking_ && !set_.empty() && one_in(12)) {
                parts.push_back(words({"ASM", any_register(), pick({"0", "1"})}));
            } else {
                const bool useful = n != 0 && n + 1 != length && parts.back()[0] != 'F';
                parts.push_back(fences_ && useful && one_in(2) ? fence() : operation(false));
            }
        }
        for (unsigned t = 1; t != threads_; ++t) {
            if (spawner_[t] == me) {
                insert_spawn(parts, t);
            }
        }
        std::string text;
        for (const std::string& part : parts) {
            text += (text.empty() ? "" : "; ") + part;
        }
        return text;
    }

    void insert_spawn(std::vector<std::string>& parts, unsigned t) {
        const unsigned at = below(static_cast<unsigned>(parts.size()) + 1);
        parts.insert(parts.begin() + at, "SP " + std::to_string(t));
        if (one_in(4)) {
            return;
        }
        const unsigned later = at + 1 + below(static_cast<unsigned>(parts.size()) - at);
        parts.insert(parts.begin() + later, "JN " + std::to_string(t));
    }

    std::mt19937_64& random_;
    bool blocking_;
    unsigned threads_ = 0;
    unsigned locations_ = 0;
    unsigned location_ = 0;
    bool strong_ = false;
    bool non_atomic_ = false;
    bool asymmetric_ = false;
    bool fences_ = false;
    bool relaxed_ = false;
    bool updates_ = false;
    unsigned registers_ = 0;
    std::vector<unsigned> spawner_;
    std::vector<std::string> set_;
};

std::string small_program(std::mt19937_64& random, bool blocking) {
    for (;;) {
        std::string text = generator(random, blocking).program();
        const litmus::program p = litmus::parse(text);
        const bool has_outcome = !p.registers.empty() || std::any_of(p.writers.begin(), p.writers.end(),
                                                                     [](unsigned writers) { return writers > 1; });
        if (has_outcome && has_at_most(p, most_candidates)) {
            return text;
        }
    }
}

}  // namespace

std::string random_program(std::mt19937_64& random) {
    return small_program(random, false);
}

std::string random_blocking_program(std::mt19937_64& random) {
    return small_program(random, true);
}

bool is_asymmetric(const std::string& program) {
    return program.find("F lt") != std::string::npos || program.find("F hv") != std::string::npos;
}

}  // namespace quiesce::explorer::tests
