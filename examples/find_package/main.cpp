// A value that readers read without locks and a writer replaces; and objects from a cache, which is destroyed while
// some of them still wait for their grace period.
#include <atomic>
#include <cstdio>
#include <mutex>
#include <quiesce/object_cache.hpp>

namespace {

struct config : quiesce::rcu_obj_base<config> {
    explicit config(int l) : limit(l) {}
    int limit;
};

std::atomic<config*> current{new config(10)};

int limit() {
    const std::scoped_lock section(quiesce::rcu_default_domain());
    return current.load(std::memory_order_acquire)->limit;
}

void set_limit(int l) {
    config* const old = current.exchange(new config(l), std::memory_order_acq_rel);
    old->retire();  // deleted after a grace period
}

struct node {
    int key;
};

// Returns whether the cache has ended.
bool use_a_cache() {
    quiesce::object_cache<node> nodes({.name = "nodes"});
    nodes.free_rcu(nodes.allocate(42));
    const quiesce::cache_token end = nodes.destroy();  // waits for what is in flight
    return end.poll();
}

}  // namespace

int main() {
    const int before = limit();
    set_limit(20);
    std::printf("quiesce %s: limit was %d, is %d; the cache %s\n", FOUND_VERSION, before, limit(),
                use_a_cache() ? "has ended" : "is pending");
    quiesce::rcu_barrier();  // every retired object has been deleted

    config* const last = current.exchange(nullptr, std::memory_order_acq_rel);
    quiesce::rcu_synchronize();  // no reader is left that could hold it
    delete last;
}
