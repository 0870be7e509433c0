// The examples at the head of the public headers, used. A test compares them: each region that clang-format leaves
// alone is one of them.
#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <quiesce/free_rcu.hpp>
#include <quiesce/large_block.hpp>
#include <quiesce/object_cache.hpp>
#include <quiesce/rcu.hpp>
#include <quiesce/rcu_array.hpp>
#include <quiesce/single_thread.hpp>
#include <quiesce/staged_cache.hpp>
#include <quiesce/stall_report.hpp>

#include "tsan_tests/free_rcu_support.hpp"

namespace {

using quiesce::tests::eventually;
using quiesce::tests::reader;

namespace in_rcu_domain {

// clang-format off
struct config : quiesce::rcu_obj_base<config> {
    explicit config(int l) : limit(l) {}
    int limit;
};
std::atomic<config*> current;

int limit() {                                   // any number of readers
    std::scoped_lock section(quiesce::rcu_default_domain());
    return current.load(std::memory_order_acquire)->limit;
}
void set(config* fresh) {                       // one writer
    config* old = current.exchange(fresh, std::memory_order_acq_rel);
    old->retire();                              // deleted by the driver, after a grace period
}
// clang-format on

TEST(HeaderOfRcuDomain, AConfigIsReplacedUnderItsReaders) {
    current = new config(1);
    {
        const std::jthread reading([] {
            while (limit() != 1000) {
            }
        });
        for (int i = 2; i <= 1000; ++i) {
            set(new config(i));
        }
    }
    quiesce::rcu_barrier();
    delete current.exchange(nullptr);
}

}  // namespace in_rcu_domain

namespace in_free_rcu {

struct node;
void unlink(node* n);

// clang-format off
struct node { int key; node* next; };            // no head needed

void remove(node* n) {
    unlink(n);                                    // new readers no longer find it
    quiesce::free_rcu(n);                         // deleted after a grace period
}
void unload() {
    quiesce::free_rcu_barrier();                  // everything given to free_rcu so far has been deleted
}
// clang-format on

std::atomic<node*> first;

void unlink(node* n) {
    EXPECT_EQ(first.load(), n);
    first.store(n->next);
}

TEST(HeaderOfFreeRcu, NodesAreRemovedUnderTheirReaders) {
    constexpr int nodes = 1000;
    for (int key = nodes; key != 0; --key) {
        first = new node{key, first.load()};
    }
    {
        const std::jthread reading([] {
            for (bool found = true; found;) {
                const std::scoped_lock section(quiesce::rcu_default_domain());
                int last = 0;
                for (const node* n = first.load(); n != nullptr; n = n->next) {
                    ASSERT_LT(last, n->key);
                    last = n->key;
                }
                found = last != 0;
            }
        });
        while (first.load() != nullptr) {
            remove(first.load());
        }
    }
    unload();
    EXPECT_EQ(quiesce::rcu_default_domain().backlog(), 0U);
}

}  // namespace in_free_rcu

namespace in_object_cache {

struct node {
    explicit node(int k) : key(k) {}
    ~node() { destroyed = key; }
    int key;
    static inline std::atomic<int> destroyed{0};
};

void unlink(const node* n) {
    EXPECT_EQ(n->key, 42);
    EXPECT_EQ(node::destroyed, 0);
}

TEST(HeaderOfObjectCache, ACacheEndsWithItsLastObject) {
    // clang-format off
    quiesce::object_cache<node> nodes({.name = "nodes"});

    node* n = nodes.allocate(42);                  // constructs a node
    unlink(n);
    nodes.free_rcu(n);                             // destroys it after a grace period
    auto end = nodes.destroy();                    // by the cache's strategy; the name is free again at once
    end.wait();
    // clang-format on
    EXPECT_EQ(node::destroyed, 42);
    EXPECT_TRUE(end.poll());
}

}  // namespace in_object_cache

namespace in_large_block {

constexpr std::size_t bytes = std::size_t{1} << 20;
std::atomic<void*> published;

void publish(void* table) {
    std::memset(table, 1, bytes);
    published = table;
}

void unpublish(void* table) {
    EXPECT_EQ(published.exchange(nullptr), table);
}

TEST(HeaderOfLargeBlock, ATableIsUnmappedAfterAGracePeriod) {
    reader look(quiesce::rcu_default_domain());
    // clang-format off
    void* const table = quiesce::allocate_large(bytes);     // null when there is no memory
    publish(table);
    unpublish(table);
    quiesce::free_large_rcu(table);                          // unmapped after a grace period
    // clang-format on
    EXPECT_EQ(static_cast<const char*>(table)[bytes - 1], 1);
    look.leave();
    quiesce::free_rcu_barrier();
    EXPECT_EQ(quiesce::rcu_default_domain().large_blocks().blocks, 0U);
}

}  // namespace in_large_block

namespace in_rcu_array {

struct group {
    std::size_t number;
};

// clang-format off
quiesce::rcu_array<group*> groups;

group* find(std::size_t i) {                       // any number of readers, no lock
    return groups.get(i).value_or(nullptr);
}
void add(group* g) { groups.push_back(g); }        // writers wait for each other
// clang-format on

TEST(HeaderOfRcuArray, WritersAddWhatReadersFind) {
    constexpr std::size_t each = 1000;
    std::vector<group> added(2 * each);
    for (std::size_t i = 0; i != added.size(); ++i) {
        added[i].number = i;
    }
    {
        std::vector<std::jthread> writers;
        for (const std::size_t begin : {std::size_t{0}, each}) {
            writers.emplace_back([&added, begin] {
                for (std::size_t i = begin; i != begin + each; ++i) {
                    add(&added[i]);
                }
            });
        }
        std::vector<bool> found(added.size());
        for (std::size_t next = 0; next != added.size();) {
            if (const group* const g = find(next); g != nullptr) {
                EXPECT_FALSE(found[g->number]);
                found[g->number] = true;
                ++next;
            }
        }
    }
    EXPECT_EQ(find(added.size()), nullptr);
}

}  // namespace in_rcu_array

namespace in_staged_cache {

struct alignas(64) node {
    int key;
};

void unlink(void* n) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(n) % alignof(node), 0U);
    EXPECT_EQ((::new (n) node{42})->key, 42);
}

TEST(HeaderOfStagedCache, ACacheEndsWithWhatIsInFlight) {
    // clang-format off
    quiesce::rcu_domain tasks;                       // its readers may block
    quiesce::staged_cache nodes(quiesce::rcu_default_domain(), tasks,
                                {.name = "nodes", .size = sizeof(node), .alignment = alignof(node)});

    void* const n = nodes.allocate();
    unlink(n);
    nodes.free_rcu(n);                               // first domain, second domain, slab
    nodes.destroy().wait();
    // clang-format on
}

}  // namespace in_staged_cache

namespace in_single_thread {

struct node {
    explicit node(int k) : key(k) {}
    ~node() { ++deleted; }
    int key;
    static inline int deleted = 0;
};

struct no_more_events {};

int events = 0;
std::vector<node*> unlinked;

int next_event() {
    // What the turns before have unlinked is gone.
    EXPECT_EQ(node::deleted, 2 * events);
    if (events == 10) {
        throw no_more_events();
    }
    return ++events;
}

void handle(int event) {
    unlinked.push_back(new node(event));
    unlinked.push_back(new node(-event));
}

node* take_unlinked() {
    if (unlinked.empty()) {
        return nullptr;
    }
    node* const n = unlinked.back();
    unlinked.pop_back();
    return n;
}

void loop() {
    // clang-format off
    quiesce::single_thread_domain domain;

    for (;;) {                                        // the program's event loop
        {
            std::scoped_lock section(domain);         // a section costs a few ordinary stores
            handle(next_event());
        }
        while (node* n = take_unlinked()) {
            free_rcu(n, std::default_delete<node>(), domain);
        }
        domain.quiescent_point();                     // everything deferred so far is freed here
    }
    // clang-format on
}

TEST(HeaderOfSingleThread, EachTurnFreesWhatItUnlinked) {
    EXPECT_THROW(loop(), no_more_events);
    EXPECT_EQ(node::deleted, 20);
}

}  // namespace in_single_thread

namespace in_stall_report {

std::atomic<bool> told{false};

void log(const std::string& text) {
    EXPECT_NE(text.find("has waited for readers"), std::string::npos) << text;
    told = true;
}

TEST(HeaderOfStallReport, AReaderThatDoesNotEndIsLogged) {
    quiesce::rcu_domain domain;
    // clang-format off
    domain.report_stalls({.after_ms = 2'000, .handler = [](const quiesce::stall_report& r, void*) noexcept {
        log(quiesce::describe(r));
    }});
    // clang-format on
    reader look(domain);
    quiesce::rcu_retire(new int(0), std::default_delete<int>(), domain);
    EXPECT_TRUE(eventually([] { return told.load(); }));
    domain.report_stalls({});
    look.leave();
    domain.barrier();
}

}  // namespace in_stall_report

}  // namespace
