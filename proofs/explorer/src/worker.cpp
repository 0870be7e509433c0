#include "proofs/explorer/src/worker.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "proofs/explorer/src/plan.hpp"

namespace quiesce::explorer::detail {

namespace {

// All of it, in as many steps as it takes; returns false when the other side is gone.
template <class Byte, class Step>
bool transfer(Byte* data, std::size_t size, Step step) {
    while (size != 0) {
        const ssize_t n = step(data, size);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        data += n;
        size -= static_cast<std::size_t>(n);
    }
    return true;
}

bool write_all(int to, const void* data, std::size_t size) {
    return transfer(static_cast<const char*>(data), size,
                    [to](const char* from, std::size_t n) { return ::send(to, from, n, MSG_NOSIGNAL); });
}

bool read_all(int from, void* data, std::size_t size) {
    return transfer(static_cast<char*>(data), size, [from](char* to, std::size_t n) { return ::recv(from, to, n, 0); });
}

struct heading {
    std::uint64_t size;
    message_kind kind;
};

}  // namespace

bool send(int to, message_kind kind, const std::string& text) {
    heading h = {};
    h.size = text.size();
    h.kind = kind;
    return write_all(to, &h, sizeof h) && write_all(to, text.data(), text.size());
}

bool receive(int from, message& m) {
    heading h = {};
    if (!read_all(from, &h, sizeof h)) {
        return false;
    }
    m.kind = h.kind;
    m.text.resize(h.size);
    return read_all(from, m.text.data(), m.text.size());
}

[[noreturn]] void work(engine& e, int socket, shared_state& all, unsigned index) {
    shared_state::slot& mine = all.of[index];
    message m;
    while (receive(socket, m)) {
        unsigned since_split = 0;
        try {
            (void)e.explore(m.text, [&] {
                const report& r = e.report();
                mine.executions.store(r.executions + r.deadlocks + r.incomplete, std::memory_order_relaxed);
                mine.complete.store(r.executions, std::memory_order_relaxed);
                if (++since_split >= 16 && !e.is_decided()) {
                    int hungry = all.hungry.load(std::memory_order_relaxed);
                    if (hungry > 0 && all.hungry.compare_exchange_strong(hungry, hungry - 1)) {
                        since_split = 0;
                        const std::string away = e.split();
                        if (away.empty()) {
                            all.hungry.fetch_add(1);
                        } else if (!send(socket, message_kind::given, away)) {
                            ::_exit(0);
                        }
                    }
                }
                if (all.pause.load(std::memory_order_relaxed)) {
                    text_writer state;
                    write_report(state, r);
                    const std::vector<std::string> untried = e.is_decided() ? std::vector<std::string>() : e.untried();
                    state << untried.size();
                    for (const std::string& subtree : untried) {
                        state << subtree;
                    }
                    message go_on;
                    if (!send(socket, message_kind::paused, state.take()) || !receive(socket, go_on)) {
                        ::_exit(0);
                    }
                }
                return true;
            });
        } catch (const damaged_text&) {
            e.report().verdict = verdict::engine_error;
            e.report().violation = {"checkpoint", "the checkpoint is not one of this program", "", ""};
        }
        text_writer result;
        write_report(result, std::exchange(e.report(), {}));
        if (!send(socket, message_kind::finished, result.take())) {
            break;
        }
    }
    // Nothing of the parent's is flushed or destroyed twice.
    ::_exit(0);
}

}  // namespace quiesce::explorer::detail
