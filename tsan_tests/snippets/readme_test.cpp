// The C++ that README.md shows, used. A test compares it: each region that clang-format leaves alone is one of its
// blocks.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include <quiesce/object_cache.hpp>
#include <quiesce/rcu.hpp>
#include <quiesce/rcu_array.hpp>
#include <quiesce/single_thread.hpp>
#include <quiesce/staged_cache.hpp>

namespace {

namespace replaced {

// clang-format off
struct config : quiesce::rcu_obj_base<config> {
    explicit config(int l) : limit(l) {}
    int limit;
};
std::atomic<config*> current;

int limit() {                                     // any number of readers, no lock, no shared write
    std::scoped_lock section(quiesce::rcu_default_domain());
    return current.load(std::memory_order_acquire)->limit;
}
void set(config* fresh) {                         // a writer
    current.exchange(fresh, std::memory_order_acq_rel)->retire();   // deleted after a grace period
}
// clang-format on

TEST(Readme, AConfigIsReplacedUnderItsReaders) {
    constexpr int replacements = 1000;
    current = new config(0);
    {
        std::jthread reader([] {
            for (int last = 0; last != replacements;) {
                const int found = limit();
                EXPECT_LE(last, found);
                last = found;
            }
        });
        for (int i = 1; i <= replacements; ++i) {
            set(new config(i));
        }
    }
    EXPECT_EQ(limit(), replacements);
    quiesce::rcu_barrier();
    delete current.exchange(nullptr);
}

}  // namespace replaced

namespace cached {

struct node {
    explicit node(int k) : key(k) {}
    ~node() { destroyed += key; }
    int key;
    static inline std::atomic<int> destroyed{0};
};

TEST(Readme, ACacheIsDestroyedWhileAnObjectIsInFlight) {
    // clang-format off
    quiesce::object_cache<node> nodes({.name = "nodes"});

    nodes.free_rcu(nodes.allocate(42));               // destroyed after a grace period
    nodes.destroy().wait();                           // the name is free at once; returns when the last object is gone
    // clang-format on
    EXPECT_EQ(node::destroyed, 42);
    EXPECT_TRUE(quiesce::rcu_default_domain().caches().empty());
}

}  // namespace cached

namespace grown {

struct node {
    std::size_t key;
};

// clang-format off
quiesce::rcu_array<node*> table;

node* find(std::size_t i) { return table.get(i).value_or(nullptr); }   // any number of readers, no lock
void add(node* n) { table.push_back(n); }                             // a replaced array goes to free_rcu
// clang-format on

TEST(Readme, ATableGrowsUnderItsReaders) {
    std::array<node, 5000> nodes{};
    {
        std::jthread reader([] {
            for (std::size_t next = 0; next != 5000;) {
                const node* const n = find(next);
                if (n != nullptr) {
                    ASSERT_EQ(n->key, next);
                    ++next;
                }
            }
        });
        for (std::size_t i = 0; i != nodes.size(); ++i) {
            nodes[i].key = i;
            add(&nodes[i]);
        }
    }
    EXPECT_EQ(find(nodes.size()), nullptr);
    EXPECT_EQ(find(nodes.size() - 1), &nodes.back());
}

}  // namespace grown

namespace one_thread {

struct message : quiesce::single_thread_head {
    explicit message(int n) : number(n) {}
    ~message() { ++deleted; }
    int number;
    static inline int deleted = 0;
};

struct no_more_events {};

int events = 0;
message* current = nullptr;

int next_event() {
    if (events == 10) {
        throw no_more_events();
    }
    return ++events;
}

void handle(int event, quiesce::single_thread_domain& domain) {
    message* const old = std::exchange(current, new message(event));
    if (old != nullptr) {
        quiesce::free_rcu(old, std::default_delete<message>(), domain);
        EXPECT_EQ(old->number, event - 1);
    }
    // Those that turns before this one replaced.
    EXPECT_EQ(message::deleted, event < 2 ? 0 : event - 2);
}

void loop() {
    // clang-format off
    quiesce::single_thread_domain domain;

    for (;;) {
        {
            std::scoped_lock section(domain);
            handle(next_event(), domain);             // what is deferred in here stays while it is in use
        }
        domain.quiescent_point();                     // everything deferred so far is freed here
    }
    // clang-format on
}

TEST(Readme, ALoopEndsEachTurnWithAQuiescentPoint) {
    EXPECT_THROW(loop(), no_more_events);
    EXPECT_EQ(message::deleted, 9);
    delete current;
}

}  // namespace one_thread

namespace staged {

TEST(Readme, AStagedCacheIsDestroyedWhileAnObjectIsInFlight) {
    // clang-format off
    quiesce::rcu_domain tasks;                        // its readers may block
    quiesce::staged_cache maps(quiesce::rcu_default_domain(), tasks, {.name = "maps", .size = 64, .alignment = 8});

    maps.free_rcu(maps.allocate());                   // first domain, second domain, slab
    maps.destroy().wait();
    // clang-format on
    // What the domain reports when it is destroyed would end the program.
}

}  // namespace staged

}  // namespace
