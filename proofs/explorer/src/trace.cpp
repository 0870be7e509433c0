#include "proofs/explorer/src/trace.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string_view>

namespace quiesce::explorer::detail {

std::string place_of(const place& at) {
    request asked;
    asked.file = at.file_name();
    asked.line = at.line();
    return place_of(asked);
}

std::string place_of(const request& asked) {
    std::string_view file = asked.file;
    if (file.empty()) {
        return asked.kind == event_kind::free ? "a delete" : "an operator";
    }
    file.remove_prefix(file.find_last_of('/') + 1);
    return std::string(file) + ":" + std::to_string(asked.line);
}

namespace {

std::string_view name_of(order o) {
    switch (o) {
        case order::non_atomic: return "";
        case order::relaxed: return "relaxed";
        case order::acquire: return "acquire";
        case order::release: return "release";
        case order::acq_rel: return "acq_rel";
        case order::seq_cst: return "seq_cst";
        case order::light: return "light";
        case order::heavy: return "heavy";
        // As what they stand for.
        case order::silent: return "relaxed";
        case order::announcing: return "release";
        case order::from_head: return "acquire";
    }
    return "";
}

}  // namespace

std::string location_name(const graph& g, std::uint32_t location, const namer& names) {
    if (const std::string given = names(location); !given.empty()) {
        return given;
    }
    const std::vector<event_id>& writes = g.modification_order(location);
    const auto first = std::find_if(writes.begin(), writes.end(), [&g](event_id w) { return g.at(w).is_write(); });
    return first == writes.end() ? "?" : std::string(1, '(').append(place_of(g.at(*first).asked)).append(")");
}

std::string describe(const request& asked, const namer& names) {
    const auto on_location = [&](const char* what) {
        const std::string name = names(asked.location);
        return std::string(what) + (name.empty() ? "" : " of " + name);
    };
    switch (asked.kind) {
        case event_kind::read: return on_location(asked.awaited ? "an await" : asked.update ? "an update" : "a load");
        case event_kind::write: return on_location("a store");
        case event_kind::fence: return "a fence";
        case event_kind::spawn: return "a spawn";
        case event_kind::join: return "a join";
        case event_kind::choice: return "a choice of " + std::to_string(asked.operand);
        case event_kind::free: return "a free of " + std::to_string(asked.desired) + " bytes";
        case event_kind::start: break;
    }
    return "";
}

namespace {

// What may be an address is shown as one.
std::string value_of(std::uint64_t value) {
    if (value >> 32U == 0 || value >> 47U != 0) {
        return std::to_string(static_cast<std::int64_t>(value));
    }
    char digits[20] = "0x";
    const auto end = std::to_chars(digits + 2, std::end(digits), value, 16).ptr;
    return {digits, end};
}

std::string describe(const graph& g, const event& e, const namer& names) {
    const std::string ordering(name_of(e.ordering));
    switch (e.kind) {
        case event_kind::read: {
            std::string text = location_name(g, e.location, names) + ".load(" + ordering + ") = ";
            if (e.reads_from == no_event) {
                return text + "?";
            }
            text += value_of(e.value) + " from [" + std::to_string(e.reads_from) + "]";
            return text + (e.is_unsatisfied ? ", waits" : e.is_spurious ? ", fails spuriously" : "");
        }
        case event_kind::write:
            return location_name(g, e.location, names) + ".store(" + value_of(e.value) +
                   (ordering.empty() ? "" : ", " + ordering) + ")";
        case event_kind::fence: return ordering + " fence";
        case event_kind::spawn: return "spawn thread " + std::to_string(e.asked.operand);
        case event_kind::join: return "join thread " + std::to_string(e.asked.operand);
        case event_kind::choice: return "choose " + std::to_string(e.value);
        case event_kind::free: return "free " + std::to_string(e.asked.desired) + " bytes";
        case event_kind::start: break;
    }
    return "";
}

}  // namespace

std::string trace_of(const graph& g, const namer& given_names) {
    // Two locations may be declared in one line: they are told apart by numbers, in the order of this graph.
    std::vector<std::uint32_t> unnamed;
    for (event_id id = 0; id != static_cast<event_id>(g.size()); ++id) {
        const event& e = g.at(id);
        if (e.is_access() && given_names(e.location).empty() &&
            std::find(unnamed.begin(), unnamed.end(), e.location) == unnamed.end()) {
            unnamed.push_back(e.location);
        }
    }
    const namer names = [&](std::uint32_t location) {
        const auto number = std::find(unnamed.begin(), unnamed.end(), location);
        if (number == unnamed.end()) {
            return given_names(location);
        }
        std::string name(1, '#');
        name.append(std::to_string(number - unnamed.begin())).append(" ");
        return name.append(location_name(g, location, given_names));
    };
    std::string text;
    std::vector<bool> done(g.size(), false);
    const auto is_done = [&done](event_id e) { return e == no_event || done[static_cast<std::size_t>(e)]; };
    const auto may_come = [&](const event& e) {
        const bool spawned = e.previous != no_event || is_done(g.of(e.thread).spawned_by);
        const bool joined = e.kind != event_kind::join || is_done(g.of(static_cast<unsigned>(e.asked.operand)).last);
        return spawned && joined && is_done(e.previous) && (!e.is_read() || is_done(e.reads_from));
    };
    // Whether a newer write stands above.
    const auto reads_old = [&](const event& e) {
        const std::vector<event_id>& writes = g.modification_order(e.location);
        const auto source = std::find(writes.begin(), writes.end(), e.reads_from);
        return source != writes.end() && std::any_of(source + 1, writes.end(), is_done);
    };
    for (bool progress = true; progress;) {
        progress = false;
        for (event_id id = 0; id != static_cast<event_id>(g.size()); ++id) {
            const event& e = g.at(id);
            if (is_done(id) || !may_come(e)) {
                continue;
            }
            done[static_cast<std::size_t>(id)] = true;
            progress = true;
            const bool initial = e.is_write() && e.ordering == order::non_atomic && e.place == 0;
            if (initial || e.kind == event_kind::start) {
                continue;
            }
            std::string line = std::to_string(id).insert(0, 1, '[').append("]");
            line.resize(8, ' ');
            line += "| ";
            for (unsigned t = 0; t != e.thread; ++t) {
                line += "  | ";
            }
            line += describe(g, e, names);
            line += e.is_read() && reads_old(e) ? ", not the newest" : "";
            line += "  " + place_of(e.asked);
            text += line + "\n";
        }
    }
    return text;
}

}  // namespace quiesce::explorer::detail
