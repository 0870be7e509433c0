// Frees in batches: free_rcu of objects from new, with a head in them and without.
#include <quiesce/free_rcu.hpp>

#include "bench/allocators.hpp"
#include "bench/freed.hpp"
#include "bench/plain_object.hpp"
#include "bench/procedures.hpp"

namespace quiesce::bench {

namespace {

struct with_head : rcu_head {
    ~with_head() { count_freed(); }
    unsigned char payload[object_size - sizeof(rcu_head)];
};
static_assert(sizeof(with_head) == object_size);

template <class Object>
struct batched {
    void finish() { free_rcu_barrier(); }

    struct thread_state {
        explicit thread_state(batched& /*scheme*/) {}
        void allocate_and_free_later() {
            auto* const object = new Object;
            touch(object->payload);
            free_rcu(object);
        }
        void finish() {}
    };
};

/// What free_rcu promises of its backlog, in megabytes of the whole process.
constexpr double memory_limit = 64;

const registration barrier_of_frees(group::barrier, "quiesce free_rcu_barrier", side::ours,
                                    &barrier_latency<batched<plain_object>>);
const registration flood_of_frees(group::flood, "quiesce free_rcu + new", side::ours, &flood<batched<plain_object>>,
                                  memory_limit);

[[maybe_unused]] const bool registered = [] {
    register_scheme<batched<with_head>>("quiesce free_rcu, head in object, + new", side::ours);
    register_scheme<batched<plain_object>>("quiesce free_rcu + new", side::ours);
    return true;
}();

}  // namespace

}  // namespace quiesce::bench
