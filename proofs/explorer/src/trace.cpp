#include "proofs/explorer/src/trace.hpp"

#include <algorithm>
#include <string_view>

namespace quiesce::explorer::detail {

std::string place_of(const request& asked) {
    std::string_view file = asked.file;
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
    }
    return "";
}

using name_list = std::vector<const char*>;

// A location without a name is known by where it was first written, its declaration.
std::string location_of(const graph& g, const event& e, const name_list& names) {
    if (e.location < names.size() && names[e.location] != nullptr) {
        return names[e.location];
    }
    const std::vector<event_id>& writes = g.modification_order(e.location);
    const std::string declared = writes.empty() ? "?" : place_of(g.at(writes.front()).asked);
    return std::to_string(e.location).insert(0, 1, '#').append(" (").append(declared).append(")");
}

std::string describe(const graph& g, const event& e, const name_list& names) {
    const std::string ordering(name_of(e.ordering));
    switch (e.kind) {
        case event_kind::read: {
            std::string text = location_of(g, e, names) + ".load(" + ordering + ") = ";
            if (e.reads_from == no_event) {
                return text + "?";
            }
            text += std::to_string(static_cast<std::int64_t>(e.value)) + " from [" + std::to_string(e.reads_from) + "]";
            return text + (e.is_unsatisfied ? ", waits" : e.is_spurious ? ", fails spuriously" : "");
        }
        case event_kind::write:
            return location_of(g, e, names) + ".store(" + std::to_string(static_cast<std::int64_t>(e.value)) +
                   (ordering.empty() ? "" : ", " + ordering) + ")";
        case event_kind::fence: return ordering + " fence";
        case event_kind::spawn: return "spawn thread " + std::to_string(e.asked.operand);
        case event_kind::join: return "join thread " + std::to_string(e.asked.operand);
        case event_kind::choice: return "choose " + std::to_string(e.value);
        case event_kind::free: return "free " + std::to_string(e.asked.desired) + " bytes";
    }
    return "";
}

}  // namespace

std::string trace_of(const graph& g, std::size_t threads, const name_list& names) {
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
            if (initial) {
                continue;
            }
            std::string line = std::to_string(id).insert(0, 1, '[').append("]");
            line.resize(8, ' ');
            for (std::size_t t = 0; t != threads; ++t) {
                line += "| ";
                if (t == e.thread) {
                    break;
                }
                line += "  ";
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
