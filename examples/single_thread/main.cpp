// The event loop of a gateway: one thread, and a fixed number of routes, which are replaced while packets of the same
// turn are to be sent by them. README.md tells the story.
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include <quiesce/single_thread.hpp>

namespace {

constexpr unsigned turns = 4000;
constexpr unsigned events_in_a_turn = 16;
constexpr unsigned destinations = 8;
/// One for each destination, and one for each that a turn can replace.
constexpr unsigned all_routes = destinations + events_in_a_turn;
constexpr unsigned nowhere = destinations;

/// The head in it is all that free_rcu needs, so a handler may free a route in the middle of a turn, and always can.
struct route : quiesce::single_thread_head {
    unsigned destination = nowhere;
    unsigned port = 0;
};

/// The memory of every route. As in a program without a heap, it is there from the beginning.
class route_pool {
public:
    route_pool() {
        for (route& r : routes_) {
            free_[free_count_++] = &r;
        }
    }

    route* take(unsigned destination, unsigned port) {
        if (free_count_ == 0) {
            std::fputs("single_thread: there is no route left\n", stderr);
            std::exit(EXIT_FAILURE);
        }
        route* const r = free_[--free_count_];
        r->destination = destination;
        r->port = port;
        most_in_use_ = in_use() > most_in_use_ ? in_use() : most_in_use_;
        return r;
    }

    void put(route* r) {
        r->destination = nowhere;
        free_[free_count_++] = r;
        ++given_back_;
    }

    unsigned in_use() const { return all_routes - free_count_; }
    unsigned most_in_use() const { return most_in_use_; }
    unsigned given_back() const { return given_back_; }

private:
    std::array<route, all_routes> routes_;
    std::array<route*, all_routes> free_{};
    unsigned free_count_ = 0;
    unsigned most_in_use_ = 0;
    unsigned given_back_ = 0;
};

route_pool pool;

/// A deleter is not kept with the object, so it has no state.
struct back_to_pool {
    void operator()(route* r) const { pool.put(r); }
};

enum class mistake { none, free_at_once, no_quiescent_point };

struct event {
    enum class kind { packet, update, withdrawal } what;
    unsigned destination;
    unsigned port;
};

/// In place of interrupts: half of the events are packets, and of the others three in four are updates.
event next_event() {
    static std::uint32_t state = 1;
    state = state * 1664525 + 1013904223;
    event e{event::kind::packet, (state >> 16) % destinations, (state >> 24) % 4};
    if (const unsigned what = state >> 29; what >= 4) {
        e.what = what == 7 ? event::kind::withdrawal : event::kind::update;
    }
    return e;
}

class gateway {
public:
    gateway(quiesce::single_thread_domain& domain, mistake made) : domain_(domain), made_(made) {}

    void handle(const event& e) {
        switch (e.what) {
            case event::kind::packet:
                if (const route* const r = table_[e.destination]; r != nullptr) {
                    to_send_[to_send_count_++] = {e.destination, r};
                } else {
                    ++unreachable_;
                }
                break;
            case event::kind::update: replace(e.destination, pool.take(e.destination, e.port)); break;
            case event::kind::withdrawal: replace(e.destination, nullptr); break;
        }
    }

    /// All packets of a turn at once, each by the route that its handler found.
    void send() {
        for (unsigned i = 0; i != to_send_count_; ++i) {
            const packet& p = to_send_[i];
            wrong_ += p.by->destination != p.destination ? 1 : 0;
            by_replaced_ += p.by != table_[p.destination] ? 1 : 0;
            ++sent_on_port_[p.by->port];
        }
        sent_ += to_send_count_;
        to_send_count_ = 0;
    }

    unsigned known() const {
        unsigned n = 0;
        for (const route* const r : table_) {
            n += r != nullptr ? 1 : 0;
        }
        return n;
    }

    unsigned wrong() const { return wrong_; }

    void print() const {
        std::printf("packets sent           %8u, on ports 0 to 3: %u, %u, %u, %u\n", sent_, sent_on_port_[0],
                    sent_on_port_[1], sent_on_port_[2], sent_on_port_[3]);
        std::printf("by a replaced route    %8u\n", by_replaced_);
        std::printf("to nowhere             %8u\n", unreachable_);
        std::printf("routes replaced        %8u\n", replaced_);
    }

private:
    struct packet {
        unsigned destination = nowhere;
        const route* by = nullptr;
    };

    void replace(unsigned destination, route* fresh) {
        route* const old = table_[destination];
        table_[destination] = fresh;
        if (old == nullptr) {
            return;
        }
        ++replaced_;
        if (made_ == mistake::free_at_once) {
            back_to_pool()(old);
        } else {
            quiesce::free_rcu(old, back_to_pool(), domain_);
        }
    }

    quiesce::single_thread_domain& domain_;
    const mistake made_;
    std::array<route*, destinations> table_{};
    std::array<packet, events_in_a_turn> to_send_;
    unsigned to_send_count_ = 0;
    std::array<unsigned, 4> sent_on_port_{};
    unsigned sent_ = 0;
    unsigned wrong_ = 0;
    unsigned by_replaced_ = 0;
    unsigned unreachable_ = 0;
    unsigned replaced_ = 0;
};

bool run(mistake made) {
    quiesce::single_thread_domain domain;
    gateway node(domain, made);
    for (unsigned turn = 0; turn != turns; ++turn) {
        {
            const std::scoped_lock section(domain);
            for (unsigned i = 0; i != events_in_a_turn; ++i) {
                node.handle(next_event());
            }
            node.send();
        }
        if (made != mistake::no_quiescent_point) {
            domain.quiescent_point();
        }
        if (node.wrong() != 0) {
            std::fprintf(stderr, "single_thread: in turn %u a packet was sent by a route that is not its own\n", turn);
            return false;
        }
        if (made == mistake::none && pool.in_use() != node.known()) {
            std::fprintf(stderr, "single_thread: after turn %u %u routes are in use, %u are known\n", turn,
                         pool.in_use(), node.known());
            return false;
        }
    }
    std::printf("%u turns of %u events\n", turns, events_in_a_turn);
    node.print();
    std::printf("given back             %8u\n", pool.given_back());
    std::printf("most at once           %8u of %u\n", pool.most_in_use(), all_routes);
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    mistake made = mistake::none;
    if (argc == 2 && std::strcmp(argv[1], "--free-at-once") == 0) {
        made = mistake::free_at_once;
    } else if (argc == 2 && std::strcmp(argv[1], "--no-quiescent-point") == 0) {
        made = mistake::no_quiescent_point;
    } else if (argc != 1) {
        std::fprintf(stderr, "usage: %s [--free-at-once | --no-quiescent-point]\n", argv[0]);
        return EXIT_FAILURE;
    }
    return run(made) ? EXIT_SUCCESS : EXIT_FAILURE;
}
