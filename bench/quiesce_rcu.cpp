// Sections, and objects retired one by one: rcu_obj_base and rcu_retire.
#include <quiesce/rcu.hpp>

#include <mutex>

#include "bench/allocators.hpp"
#include "bench/freed.hpp"
#include "bench/plain_object.hpp"
#include "bench/procedures.hpp"

namespace quiesce::bench {

namespace {

struct domain_reader {
    void section() { const std::scoped_lock inside(rcu_default_domain()); }
};

struct with_head : rcu_obj_base<with_head> {
    ~with_head() { count_freed(); }
    unsigned char payload[object_size - sizeof(rcu_head)];
};
static_assert(sizeof(with_head) == object_size);

struct callbacks {
    void finish() { rcu_barrier(); }
};

struct obj_base : callbacks {
    struct thread_state {
        explicit thread_state(obj_base& /*scheme*/) {}
        void allocate_and_free_later() {
            auto* const object = new with_head;
            touch(object->payload);
            object->retire();
        }
        void finish() {}
    };
};

struct retire : callbacks {
    struct thread_state {
        explicit thread_state(retire& /*scheme*/) {}
        void allocate_and_free_later() {
            auto* const object = new plain_object;
            touch(object->payload);
            rcu_retire(object);
        }
        void finish() {}
    };
};

const registration sections(group::read_side, "quiesce rcu_domain", side::ours, &read_side<domain_reader>);
const registration barrier_of_callbacks(group::barrier, "quiesce rcu_barrier", side::ours, &barrier_latency<obj_base>);
const registration flood_of_callbacks(group::flood, "quiesce rcu_obj_base + new", side::ours, &flood<obj_base>);

[[maybe_unused]] const bool registered = [] {
    register_scheme<obj_base>("quiesce rcu_obj_base + new", side::ours);
    register_scheme<retire>("quiesce rcu_retire + new", side::ours);
    return true;
}();

}  // namespace

}  // namespace quiesce::bench
