// A library that is unloaded while what it freed is in flight. README.md has the rules that it follows.
#include "plugin.hpp"

#include <cstdlib>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>

#include <quiesce/free_rcu.hpp>
#include <quiesce/object_cache.hpp>
#include <quiesce/rcu_array.hpp>
#include <quiesce/staged_cache.hpp>

constexpr unsigned uses = 10;

/// Everything that the library owns.
struct library {
    explicit library(host& h);

    /// Counts what needs the library's code to end.
    struct counted {
        counted() { loaded->home.made.fetch_add(1, std::memory_order_relaxed); }
        counted(const counted&) = delete;
        counted& operator=(const counted&) = delete;
        ~counted() { loaded->home.gone.fetch_add(1, std::memory_order_relaxed); }
    };

    /// Retired: a callback.
    struct config : counted, quiesce::rcu_obj_base<config> {
        explicit config(unsigned l) : limit(l) {}
        unsigned limit;
    };
    /// Given to free_rcu, which deletes them.
    struct note : counted {};
    struct timer : counted, quiesce::rcu_head {};
    /// In caches, with a destructor and without.
    struct session : counted {};
    struct packet {
        std::uint64_t words[8];
    };
    struct peer {
        std::mutex lock;
        std::uint64_t packets = 0;
    };

    void read() const;

    static inline library* loaded = nullptr;

    host& home;
    quiesce::object_cache<session> sessions{{.name = "sessions", .on_destroy = quiesce::destroy_strategy::async}};
    quiesce::object_cache<packet> packets{{.name = "packets", .on_destroy = quiesce::destroy_strategy::async}};
    quiesce::type_stable_cache<peer> peers{{.name = "peers", .on_destroy = quiesce::destroy_strategy::last_free}};
    quiesce::staged_cache routes;
    std::atomic<config*> current{nullptr};
    /// A domain of its own, and an array that gives its old copies to free_rcu there.
    quiesce::rcu_domain own;
    quiesce::rcu_array<unsigned> history{own};
    /// A thread whose code is the library's: it must have ended before the library goes.
    std::jthread reader;
};

static_assert(std::is_trivially_destructible_v<library::packet>);
static_assert(std::is_trivially_destructible_v<library::peer>);

library::library(host& h)
    : home(h), routes(quiesce::rcu_default_domain(), h.tasks, {.name = "routes", .size = 64, .alignment = 8}) {
    loaded = this;
    current = new config(0);
    reader = std::jthread([this](const std::stop_token& end) {
        while (!end.stop_requested()) {
            read();
            std::this_thread::yield();
        }
    });
    home.caches_made.fetch_add(4);
}

void library::read() const {
    const std::scoped_lock section(quiesce::rcu_default_domain());
    if (current.load(std::memory_order_acquire)->limit >= uses || history.get(0).value_or(0) >= uses) {
        std::abort();
    }
}

namespace {

void begin(host& home) {
    (void)new library(home);
}

// Leaves these in flight: no code of the library is needed to free them.
std::uint64_t free_plain_objects(unsigned of_each) {
    library& l = *library::loaded;
    for (unsigned i = 0; i != of_each; ++i) {
        l.packets.free_rcu(l.packets.allocate());
        l.peers.free_rcu(l.peers.allocate());
        l.routes.free_rcu(l.routes.allocate());
    }
    return std::uint64_t{3} * of_each;
}

void use() {
    library& l = *library::loaded;
    for (unsigned i = 0; i != uses; ++i) {
        l.read();
        l.current.exchange(new library::config(i), std::memory_order_acq_rel)->retire();
        l.history.push_back(i);
        l.sessions.free_rcu(l.sessions.allocate());
        quiesce::free_rcu(new library::note);
        quiesce::free_rcu(new library::timer);
        (void)free_plain_objects(4);
    }
}

void stop() {
    library& l = *library::loaded;
    // Nothing new: no thread runs code of the library, and what is published is taken back.
    l.reader.request_stop();
    l.reader.join();
    l.current.exchange(nullptr)->retire();
    // What is retired, what is given to free_rcu, and what is in a cache are three things.
    quiesce::rcu_barrier();
    quiesce::free_rcu_barrier();
    quiesce::free_rcu_barrier(l.own);
    l.sessions.destroy().wait();
}

std::uint64_t close() {
    const std::unique_ptr<library> l(library::loaded);
    const std::uint64_t in_flight = free_plain_objects(100);
    for (const quiesce::cache_token& end : {l->sessions.destroy(), l->packets.destroy(), l->peers.destroy()}) {
        end.on_end(l->home.cache_ended, &l->home);
    }
    l->routes.destroy().on_end(l->home.cache_ended, &l->home);
    return in_flight;
}

void leave(leftover what) {
    library& l = *library::loaded;
    switch (what) {
        case leftover::callback: l.current.exchange(new library::config(0))->retire(); break;
        case leftover::deleter:
            quiesce::free_rcu(new library::note);
            quiesce::rcu_barrier();  // which does not wait for it
            break;
        case leftover::destructor: l.sessions.free_rcu(l.sessions.allocate()); break;
    }
}

constexpr plugin operations{&begin, &use, &stop, &close, &leave};

}  // namespace

extern "C" [[gnu::visibility("default")]] const plugin* load_plugin() {
    return &operations;
}
