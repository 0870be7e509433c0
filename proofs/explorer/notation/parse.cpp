#include <algorithm>
#include <charconv>
#include <functional>
#include <map>

#include "proofs/explorer/notation/program.hpp"

namespace quiesce::explorer::litmus {

namespace {

std::string_view trimmed(std::string_view s) {
    const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
    while (!s.empty() && blank(s.front())) {
        s.remove_prefix(1);
    }
    while (!s.empty() && blank(s.back())) {
        s.remove_suffix(1);
    }
    return s;
}

std::vector<std::string_view> split(std::string_view s, char at) {
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t end = s.find(at);
        parts.push_back(trimmed(s.substr(0, end)));
        if (end == std::string_view::npos) {
            return parts;
        }
        s.remove_prefix(end + 1);
    }
}

std::vector<std::string_view> words(std::string_view s) {
    std::vector<std::string_view> found;
    for (const std::string_view part : split(s, ' ')) {
        if (!part.empty()) {
            found.push_back(part);
        }
    }
    return found;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// What the program has of one kind must fit into the memory that the explorer gives a thread.
constexpr std::size_t most_names = 4'000;
// A read-modify-write is two of the explorer's operations, of which a thread may do options::max_operations.
constexpr std::size_t most_instructions = 4'000;
// The explorer's own first thread is one more.
constexpr std::size_t most_threads = 63;

void refuse_if_more(std::size_t count, std::size_t most, const std::string& what) {
    if (count > most) {
        throw notation_error("there are more than " + std::to_string(most) + " " + what);
    }
}

unsigned number_of(std::vector<std::string>& names, std::string_view name) {
    const auto may_begin = [](char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    if (name.empty() || !may_begin(name[0]) ||
        !std::all_of(name.begin(), name.end(), [&](char c) { return may_begin(c) || is_digit(c) || c == '.'; })) {
        throw notation_error(in_quotes(name) + " is not a name");
    }
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end()) {
        names.emplace_back(name);
        refuse_if_more(names.size(), most_names, "locations or registers");
        return static_cast<unsigned>(names.size() - 1);
    }
    return static_cast<unsigned>(at - names.begin());
}

std::int64_t integer(std::string_view s) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
    if (end != s.data() + s.size() || error == std::errc::invalid_argument) {
        throw notation_error(in_quotes(s) + " is not a number");
    }
    if (error != std::errc() || value == never_set) {
        throw notation_error(in_quotes(s) + " is out of range");
    }
    return value;
}

unsigned small_number(std::string_view s, std::int64_t most) {
    const std::int64_t value = integer(s);
    if (value < 0 || value > most) {
        throw notation_error(in_quotes(s) + " is out of range");
    }
    return static_cast<unsigned>(value);
}

std::memory_order order(std::string_view s) {
    static const std::map<std::string_view, std::memory_order> orders = {
        {"rlx", std::memory_order_relaxed}, {"acq", std::memory_order_acquire}, {"rel", std::memory_order_release},
        {"ar", std::memory_order_acq_rel},  {"sc", std::memory_order_seq_cst},
    };
    const auto found = orders.find(s);
    if (found == orders.end()) {
        throw notation_error(in_quotes(s) + " is not a memory order");
    }
    return found->second;
}

// seq_cst, which every operation may have, is not among them.
bool acquires(std::memory_order o) {
    return o == std::memory_order_acquire || o == std::memory_order_acq_rel;
}
bool releases(std::memory_order o) {
    return o == std::memory_order_release || o == std::memory_order_acq_rel;
}

comparison compares(std::string_view s) {
    if (s == "eq") {
        return comparison::equal;
    }
    if (s == "ne") {
        return comparison::not_equal;
    }
    if (s == "ge") {
        return comparison::at_least;
    }
    throw notation_error(in_quotes(s) + " is not eq, ne or ge");
}

class parser {
public:
    program parse(std::string_view text) {
        for (std::string_view part : split(text, '|')) {
            const std::size_t colon = part.find(':');
            if (colon != std::string_view::npos) {
                const std::string label = "T" + std::to_string(result_.threads.size());
                if (trimmed(part.substr(0, colon)) != label) {
                    throw notation_error(in_quotes(part.substr(0, colon)) + " stands where " + label + " belongs");
                }
                part.remove_prefix(colon + 1);
            }
            result_.threads.emplace_back();
            refuse_if_more(result_.threads.size(), most_threads, "threads");
            thread(part);
        }
        result_.spawned.resize(result_.threads.size());
        for (const auto& instructions : result_.threads) {
            for (const instruction& i : instructions) {
                if ((i.what == opcode::spawn || i.what == opcode::join) && i.target >= result_.threads.size()) {
                    throw notation_error("there is no thread " + std::to_string(i.target));
                }
                if (i.what == opcode::spawn) {
                    result_.spawned[i.target] = true;
                }
            }
        }
        refuse_idle_threads();
        check_registers(result_);
        return std::move(result_);
    }

private:
    // Threads that only each other, or they themselves, would start.
    void refuse_idle_threads() {
        std::vector<bool> starts(result_.threads.size());
        const std::function<void(unsigned)> start = [&](unsigned t) {
            if (!starts[t]) {
                starts[t] = true;
                for (const instruction& i : result_.threads[t]) {
                    if (i.what == opcode::spawn) {
                        start(i.target);
                    }
                }
            }
        };
        for (unsigned t = 0; t != starts.size(); ++t) {
            if (!result_.spawned[t]) {
                start(t);
            }
        }
        const auto idle = std::find(starts.begin(), starts.end(), false);
        if (idle != starts.end()) {
            throw notation_error("the thread " + std::to_string(idle - starts.begin()) + " can never start");
        }
    }

    void thread(std::string_view text) {
        std::vector<std::size_t> open;
        std::vector<instruction>& to = result_.threads.back();
        for (const std::string_view piece : split(text, ';')) {
            if (piece.empty()) {
                continue;
            }
            const std::vector<std::string_view> w = words(piece);
            if (w[0] == "FI") {
                if (w.size() != 1) {
                    throw notation_error(in_quotes(piece) + " has the wrong form");
                }
                if (open.empty()) {
                    throw notation_error("FI without IF");
                }
                to[open.back()].target = static_cast<unsigned>(to.size());
                open.pop_back();
                continue;
            }
            to.push_back(one(w, piece));
            refuse_if_more(to.size(), most_instructions, "operations in a thread");
            if (to.back().what == opcode::only_if) {
                open.push_back(to.size() - 1);
            }
        }
        if (!open.empty()) {
            throw notation_error("IF without FI");
        }
    }

    // `shape` has a letter for each word after the first: l location, v value, o memory order, c comparison, r register
    // that is read, n number, t thread. "-> a" may follow where `gives`.
    instruction read(const std::vector<std::string_view>& w, std::string_view piece, opcode what,
                     std::string_view shape, bool gives) {
        instruction i;
        i.what = what;
        const bool has_register = w.size() > 2 && w[w.size() - 2] == "->";
        const std::size_t count = w.size() - (has_register ? 2 : 0);
        if (count != shape.size() + 1 || (has_register && !gives)) {
            throw notation_error(in_quotes(piece) + " has the wrong form");
        }
        bool first_value = true;
        bool first_order = true;
        for (std::size_t n = 0; n != shape.size(); ++n) {
            const std::string_view word = w[n + 1];
            switch (shape[n]) {
                case 'l': i.location = location(word); break;
                case 'v': (std::exchange(first_value, false) ? i.first : i.second) = value(word); break;
                case 'o': (std::exchange(first_order, false) ? i.success : i.failure) = order(word); break;
                case 'c': i.compare = compares(word); break;
                case 'r': i.reg = static_cast<int>(number_of(result_.registers, word)); break;
                case 'n': i.first.number = small_number(word, 1'000); break;
                default: i.target = small_number(word, 63); break;
            }
        }
        if ((what == opcode::store && acquires(i.success)) || (what == opcode::load && releases(i.success)) ||
            (what == opcode::await && releases(i.success)) || releases(i.failure)) {
            throw notation_error(in_quotes(piece) + " has an order that it cannot have");
        }
        if (has_register) {
            i.reg = static_cast<int>(number_of(result_.registers, w.back()));
        }
        return i;
    }

    instruction writing(instruction i) {
        ++result_.writers[i.location];
        return i;
    }

    instruction one(const std::vector<std::string_view>& w, std::string_view piece) {
        const std::string_view k = w[0];
        const auto as = [&](opcode what, std::string_view shape, bool gives = true) {
            return read(w, piece, what, shape, gives);
        };
        if (k == "W") {
            return writing(as(opcode::store, "lvo", false));
        }
        if (k == "NW") {
            instruction i = writing(as(opcode::store, "lv", false));
            i.non_atomic = true;
            return i;
        }
        if (k == "R") {
            return as(opcode::load, "lo");
        }
        if (k == "NR") {
            instruction i = as(opcode::load, "l");
            i.non_atomic = true;
            return i;
        }
        if (k == "F") {
            if (w.size() == 2 && (w[1] == "lt" || w[1] == "hv")) {
                instruction i;
                i.what = opcode::fence;
                i.fence = w[1] == "lt" ? detail::fence_kind::light : detail::fence_kind::heavy;
                return i;
            }
            return as(opcode::fence, "o", false);
        }
        if (k == "ADD" || k == "XCHG") {
            return writing(as(k == "ADD" ? opcode::add : opcode::exchange, "lvo"));
        }
        if (k == "CAS" || k == "WCAS") {
            instruction i = writing(as(opcode::compare_exchange, "lvvoo"));
            i.weak = k == "WCAS";
            return i;
        }
        if (k == "AW") {
            return as(opcode::await, "lcvo");
        }
        if (k == "LK") {
            return writing(as(opcode::await_exchange, "lvvo"));
        }
        if (k == "AADD") {
            return writing(as(opcode::await_add, "lcvvo"));
        }
        if (k == "CH") {
            instruction i = as(opcode::choose, "n");
            if (i.first.number == 0) {
                throw notation_error(in_quotes(piece) + " chooses from nothing");
            }
            return i;
        }
        if (k == "SP" || k == "JN") {
            return as(k == "SP" ? opcode::spawn : opcode::join, "t", false);
        }
        if (k == "ASM" || k == "IF") {
            return as(k == "ASM" ? opcode::assume : opcode::only_if, "rv", false);
        }
        throw notation_error(in_quotes(k) + " is not an operation");
    }

    unsigned location(std::string_view name) {
        const unsigned n = number_of(result_.locations, name);
        result_.writers.resize(result_.locations.size());
        return n;
    }

    operand value(std::string_view s) {
        if (s.empty() || s[0] != '$') {
            return {-1, integer(s)};
        }
        s.remove_prefix(1);
        const std::size_t plus = s.find('+');
        return {static_cast<int>(number_of(result_.registers, s.substr(0, plus))),
                plus == std::string_view::npos ? 0 : integer(s.substr(plus + 1))};
    }

    program result_;
};

}  // namespace

std::string in_quotes(std::string_view s) {
    constexpr std::size_t longest = 60;
    return "'" + std::string(s.substr(0, longest)) + (s.size() > longest ? "...'" : "'");
}

program parse(std::string_view text) {
    return parser().parse(text);
}

}  // namespace quiesce::explorer::litmus
