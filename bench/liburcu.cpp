// Userspace RCU, the memb flavour: the one that its documentation prefers, and the one with fences like ours.
// One thread of the library runs all callbacks of call_rcu, which is its default.
#include <urcu/urcu-memb.h>

#include "bench/allocators.hpp"
#include "bench/freed.hpp"
#include "bench/procedures.hpp"

namespace quiesce::bench {

namespace {

struct registered_thread {
    registered_thread() { urcu_memb_register_thread(); }
    registered_thread(const registered_thread&) = delete;
    registered_thread& operator=(const registered_thread&) = delete;
    ~registered_thread() { urcu_memb_unregister_thread(); }
};

struct memb_reader : registered_thread {
    void section() {
        urcu_memb_read_lock();
        urcu_memb_read_unlock();
    }
};

template <class Allocator>
struct call_rcu_scheme {
    struct object : rcu_head {
        unsigned char payload[object_size - sizeof(rcu_head)];
    };
    static_assert(sizeof(object) == object_size);

    call_rcu_scheme() { Allocator::load(); }
    void finish() { urcu_memb_barrier(); }

    static void free_it(rcu_head* h) {
        count_freed();
        Allocator::free(static_cast<object*>(h));
    }

    struct thread_state : registered_thread {
        explicit thread_state(call_rcu_scheme& /*scheme*/) {}
        void allocate_and_free_later() {
            auto* const o = static_cast<object*>(Allocator::allocate(sizeof(object)));
            touch(o->payload);
            urcu_memb_call_rcu(o, &free_it);
        }
        void finish() {}
    };
};

template <class Allocator>
struct defer_rcu_scheme {
    defer_rcu_scheme() { Allocator::load(); }
    void finish() { urcu_memb_defer_barrier(); }

    static void free_it(void* p) {
        count_freed();
        Allocator::free(p);
    }

    struct thread_state : registered_thread {
        explicit thread_state(defer_rcu_scheme& /*scheme*/) {
            if (urcu_memb_defer_register_thread() != 0) {
                throw std::runtime_error("liburcu could not register a thread for defer_rcu");
            }
        }
        thread_state(const thread_state&) = delete;
        thread_state& operator=(const thread_state&) = delete;
        ~thread_state() { urcu_memb_defer_unregister_thread(); }

        void allocate_and_free_later() {
            void* const o = Allocator::allocate(object_size);
            touch(o);
            urcu_memb_defer_rcu(&free_it, o);
        }
        void finish() {}
    };
};

using call_rcu_malloc = call_rcu_scheme<system_malloc>;
using defer_rcu_malloc = defer_rcu_scheme<system_malloc>;

const registration sections(group::read_side, "liburcu memb", side::rival, &read_side<memb_reader>);
const registration barrier_of_callbacks(group::barrier, "liburcu rcu_barrier", side::rival,
                                        &barrier_latency<call_rcu_malloc>);
const registration barrier_of_deferred(group::barrier, "liburcu rcu_defer_barrier", side::rival,
                                       &barrier_latency<defer_rcu_malloc>);
const registration flood_of_callbacks(group::flood, "liburcu call_rcu + malloc", side::rival, &flood<call_rcu_malloc>);
const registration flood_of_deferred(group::flood, "liburcu defer_rcu + malloc", side::rival, &flood<defer_rcu_malloc>);

[[maybe_unused]] const bool registered = [] {
    register_scheme<call_rcu_malloc>("liburcu call_rcu + malloc", side::rival);
    register_scheme<defer_rcu_malloc>("liburcu defer_rcu + malloc", side::rival);
#ifdef BENCH_MIMALLOC
    register_scheme<call_rcu_scheme<mimalloc>>("liburcu call_rcu + mimalloc", side::rival);
#endif
#ifdef BENCH_JEMALLOC
    register_scheme<call_rcu_scheme<jemalloc>>("liburcu call_rcu + jemalloc", side::rival);
#endif
    return true;
}();

}  // namespace

}  // namespace quiesce::bench
