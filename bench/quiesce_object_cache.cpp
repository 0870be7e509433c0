// Objects from a cache and back to it.
#include <quiesce/free_rcu.hpp>
#include <quiesce/object_cache.hpp>

#include "bench/allocators.hpp"
#include "bench/freed.hpp"
#include "bench/procedures.hpp"

namespace quiesce::bench {

namespace {

struct cached {
    ~cached() { count_freed(); }
    unsigned char payload[object_size];
};
static_assert(sizeof(cached) == object_size);

struct cache_scheme {
    ~cache_scheme() { cache.destroy(); }
    void finish() { free_rcu_barrier(); }

    struct thread_state {
        explicit thread_state(cache_scheme& scheme) : cache(scheme.cache) {}
        void allocate_and_free_later() {
            cached* const object = cache.allocate();
            touch(object->payload);
            cache.free_rcu(object);
        }
        void finish() {}

        object_cache<cached>& cache;
    };

    object_cache<cached> cache{{.name = "bench"}};
};

struct freed_at_once {
    ~freed_at_once() { cache.destroy(); }
    void finish() {}

    struct thread_state {
        explicit thread_state(freed_at_once& scheme) : cache(scheme.cache) {}
        void allocate_and_free_later() {
            cached* const object = cache.allocate();
            touch(object->payload);
            cache.free(object);
        }
        void finish() {}

        object_cache<cached>& cache;
    };

    object_cache<cached> cache{{.name = "bench"}};
};

/// What free_rcu promises of its backlog, in megabytes of the whole process.
constexpr double memory_limit = 64;

const registration flood_of_cache(group::flood, "quiesce object_cache", side::ours, &flood<cache_scheme>, memory_limit);

[[maybe_unused]] const bool registered = [] {
    register_scheme<cache_scheme>("quiesce object_cache", side::ours);
    register_scheme<freed_at_once>("quiesce object_cache, freed at once", side::floor);
    return true;
}();

}  // namespace

}  // namespace quiesce::bench
