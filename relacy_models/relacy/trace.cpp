#include "relacy_models/relacy/trace.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <vector>

#include "relacy_models/relacy/instance.hpp"

namespace quiesce::models::relacy {

namespace {

// One line of Relacy's history: "[12] 1: <address> atomic load, value=0, order=acquire, in function, file(line)".
struct step {
    std::size_t number;
    unsigned thread;
    std::string address;
    std::string action;
    std::string place;
};

std::optional<step> parse_step(const std::string& line) {
    static const std::regex form(R"(\[(\d+)\] (\d+): (?:<(0x[0-9a-f]+)> )?(.*), in .*, ([^ ]*)\((\d+)\))");
    std::smatch m;
    if (!std::regex_match(line, m, form)) {
        return std::nullopt;
    }
    const std::string file = m[5].str();
    return step{std::stoul(m[1].str()), static_cast<unsigned>(std::stoul(m[2].str())), m[3].str(), m[4].str(),
                file.substr(file.rfind('/') + 1) + ":" + m[6].str()};
}

// Readable names of addresses: those that the scenario and the core gave, numbered where several objects share one, and
// short made-up ones for the rest.
class address_names {
public:
    address_names() {
        std::map<std::string, unsigned> used;
        for (const named_object& n : current.names) {
            if (n.text != nullptr) {
                const unsigned count = ++used[n.text];
                given_.push_back({reinterpret_cast<std::uintptr_t>(n.begin), n.bytes,
                                  count == 1 ? n.text : n.text + ("#" + std::to_string(count))});
            }
        }
    }

    std::string of(const std::string& address, const std::string& action) {
        const std::uintptr_t at = std::stoull(address, nullptr, 16);
        for (const range& r : given_) {
            if (at >= r.begin && at < r.begin + r.bytes) {
                return r.text;
            }
        }
        std::string& name = made_up_[at];
        if (name.empty()) {
            const bool is_mutex = action.rfind("mutex", 0) == 0;
            const bool is_atomic = action.rfind("atomic", 0) == 0 || action.find("order=") != std::string::npos;
            name = (is_mutex ? "mutex" : is_atomic ? "atomic" : "word") + std::to_string(made_up_.size());
        }
        return name;
    }

    // Replaces the addresses inside a text.
    std::string in(std::string text) {
        static const std::regex address("0x[0-9a-f]+");
        std::string result;
        std::smatch m;
        while (std::regex_search(text, m, address)) {
            result += m.prefix().str() + pointer(m[0].str());
            text = m.suffix().str();
        }
        return result + text;
    }

private:
    struct range {
        std::uintptr_t begin;
        std::size_t bytes;
        std::string text;
    };

    std::string pointer(const std::string& address) {
        const std::uintptr_t at = std::stoull(address, nullptr, 16);
        for (const range& r : given_) {
            if (at == r.begin) {
                return "&" + r.text;
            }
        }
        std::string& name = pointers_[at];
        if (name.empty()) {
            name = "@" + std::to_string(pointers_.size());
        }
        return name;
    }

    std::vector<range> given_;
    std::map<std::uintptr_t, std::string> made_up_;
    std::map<std::uintptr_t, std::string> pointers_;
};

std::string field(const std::string& action, const std::string& key) {
    const std::size_t at = action.find(key + "=");
    if (at == std::string::npos) {
        return "";
    }
    const std::size_t begin = at + key.size() + 1;
    return action.substr(begin, action.find_first_of(",) [", begin) - begin);
}

// What each address was last given, so that a load can name the store that it read.
class store_history {
public:
    void stored(const std::string& address, std::size_t number, const std::string& value) {
        stores_[address].push_back({number, value});
    }

    std::string read_from(const std::string& address, const std::string& value, bool current_value) const {
        const auto found = stores_.find(address);
        if (found == stores_.end()) {
            return "";
        }
        const std::vector<store>& all = found->second;
        if (current_value) {
            return " from [" + std::to_string(all.back().number) + "]";
        }
        // Relacy says only that the value is an older one; the newest older store that gave it is named.
        for (std::size_t i = all.size() - 1; i-- != 0;) {
            if (all[i].value == value) {
                return " from [" + std::to_string(all[i].number) + "], not the newest";
            }
        }
        return " from an older store";
    }

private:
    struct store {
        std::size_t number;
        std::string value;
    };
    std::map<std::string, std::vector<store>> stores_;
};

std::string phrase(const step& s, address_names& names, store_history& stores) {
    const std::string& a = s.action;
    if (s.address.empty()) {
        return names.in(a);
    }
    const std::string name = names.of(s.address, a);
    const std::string order = field(a, "order");
    const std::string with_order = order.empty() ? "" : ", " + order;
    const auto value = [&](const char* key) { return names.in(field(a, key)); };
    if (a.rfind("atomic load", 0) == 0 || a.rfind("load", 0) == 0) {
        const bool newest = a.find("NOT CURRENT") == std::string::npos;
        return name + ".load(" + order + ") = " + value("value") +
               stores.read_from(s.address, field(a, "value"), newest);
    }
    if (a.rfind("atomic store", 0) == 0 || a.rfind("store", 0) == 0) {
        stores.stored(s.address, s.number, field(a, "value"));
        return name + ".store(" + value("value") + with_order + ")";
    }
    if (a.rfind("CAS", 0) == 0) {
        const bool succeeded = a.rfind("CAS succ", 0) == 0;
        const std::string read = stores.read_from(s.address, field(a, "orig"), true);
        if (succeeded) {
            stores.stored(s.address, s.number, field(a, "xchg"));
        }
        return name + ".compare_exchange(" + value("cmp") + " -> " + value("xchg") + with_order + ") " +
               (succeeded ? "succeeds, read " : "fails, read ") + value("orig") + read;
    }
    if (!field(a, "new").empty()) {
        const std::string read = stores.read_from(s.address, field(a, "prev"), true);
        stores.stored(s.address, s.number, field(a, "new"));
        return name + "." + a.substr(0, a.find(' ')) + "(" + value("arg") + with_order + ") = " + value("prev") + read;
    }
    return name + " " + names.in(a);
}

std::vector<std::string> wrap(const std::string& text, std::size_t width) {
    std::vector<std::string> lines;
    std::string rest = text;
    while (rest.size() > width) {
        std::size_t cut = rest.rfind(' ', width);
        cut = cut == std::string::npos || cut == 0 ? width : cut;
        lines.push_back(rest.substr(0, cut));
        rest = "  " + rest.substr(std::min(rest.size(), rest[cut] == ' ' ? cut + 1 : cut));
    }
    lines.push_back(rest);
    return lines;
}

constexpr std::size_t column_width = 56;

void print_row(std::ostream& out, const step& s, const std::string& text, unsigned threads) {
    std::vector<std::string> lines = wrap(text, column_width - 2);
    lines.push_back("    " + s.place);
    for (std::size_t i = 0; i != lines.size(); ++i) {
        std::string number = i == 0 ? "[" + std::to_string(s.number) + "]" : "";
        number.resize(6, ' ');
        out << number;
        for (unsigned t = 0; t != threads; ++t) {
            std::string cell = t == s.thread ? lines[i] : "";
            cell.resize(column_width, ' ');
            out << "| " << cell;
        }
        out << '\n';
    }
}

}  // namespace

std::string write_trace(const std::string& history, const std::string& file, const std::string& title,
                        unsigned threads) {
    std::ifstream in(history);
    std::ofstream out(file);
    std::string line;
    std::getline(in, line);  // the mangled name of the simulation
    std::string finding;
    std::getline(in, finding);
    std::string iteration;
    std::getline(in, iteration);
    out << title << "\n" << finding << ", " << iteration << "\n\n";
    out << "Rows are steps in the order in which they were taken. [n] numbers a step; 'from [n]' names the store that "
           "a\n"
           "load read; &x is the address of x, @n that of an object without a name.\n\n";

    std::vector<step> steps;
    while (std::getline(in, line) && line.rfind("thread ", 0) != 0) {  // Relacy repeats the history thread by thread.
        if (const std::optional<step> s = parse_step(line)) {
            steps.push_back(*s);
        }
    }
    // Of an access that is a race Relacy gives no value.
    if (steps.size() > 1 && steps.back().action.find("DATA RACE") != std::string::npos) {
        std::string& racing = steps[steps.size() - 2].action;
        racing = std::regex_replace(racing, std::regex("value=[^ ,]*"), "value=?");
    }

    address_names names;
    store_history stores;
    bool by_itself = true;
    out << "Set-up, alone:\n";
    for (const step& s : steps) {
        if (s.action == "[BEFORE END]") {
            by_itself = false;
            out << "\n      ";
            for (unsigned t = 0; t != threads; ++t) {
                std::string heading = "thread " + std::to_string(t);
                heading.resize(column_width, ' ');
                out << "| " << heading;
            }
            out << '\n';
        } else if (s.action == "[AFTER BEGIN]") {
            by_itself = true;
            out << "\nAfter all threads have ended, alone:\n";
        } else if (s.action == "[THREAD FINISHED]") {
            print_row(out, s, "the thread ends", threads);
        } else if (s.action.front() != '[') {
            const std::string text = phrase(s, names, stores);
            if (by_itself) {
                out << "[" << s.number << "] " << text << "   " << s.place << '\n';
            } else {
                print_row(out, s, text, threads);
            }
        }
    }
    return finding;
}

}  // namespace quiesce::models::relacy
