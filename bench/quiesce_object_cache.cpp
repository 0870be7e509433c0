// Objects from a cache and back to it.
#include <quiesce/free_rcu.hpp>
#include <quiesce/object_cache.hpp>

#include "bench/allocators.hpp"
#include "bench/plain_object.hpp"
#include "bench/procedures.hpp"

namespace quiesce::bench {

namespace {

struct cache_scheme {
    ~cache_scheme() { cache.destroy(); }
    void finish() { free_rcu_barrier(); }

    struct thread_state {
        explicit thread_state(cache_scheme& scheme) : cache(scheme.cache) {}
        void allocate_and_free_later() {
            plain_object* const object = cache.allocate();
            touch(object->payload);
            cache.free_rcu(object);
        }
        void finish() {}

        object_cache<plain_object>& cache;
    };

    object_cache<plain_object> cache{{.name = "bench"}};
};

struct freed_at_once {
    ~freed_at_once() { cache.destroy(); }
    void finish() {}

    struct thread_state {
        explicit thread_state(freed_at_once& scheme) : cache(scheme.cache) {}
        void allocate_and_free_later() {
            plain_object* const object = cache.allocate();
            touch(object->payload);
            cache.free(object);
        }
        void finish() {}

        object_cache<plain_object>& cache;
    };

    object_cache<plain_object> cache{{.name = "bench"}};
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
