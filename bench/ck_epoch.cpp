// Concurrency Kit's epochs. It has no thread of its own: whoever defers also frees, when it polls.
#include <ck_pr.h>
// The header assigns what this returns, a void*, to pointers of another type, which only C allows.
#define ck_pr_fas_ptr(target, value) (static_cast<ck_stack_entry*>(ck_pr_fas_ptr(target, value)))
#include <ck_stack.h>
#undef ck_pr_fas_ptr
extern "C" {
#include <ck_epoch.h>
}

#include "bench/allocators.hpp"
#include "bench/freed.hpp"
#include "bench/procedures.hpp"

namespace quiesce::bench {

namespace {

ck_epoch_t& epoch() {
    static ck_epoch_t* const e = [] {
        auto* const fresh = new ck_epoch_t;
        ck_epoch_init(fresh);
        return fresh;
    }();
    return *e;
}

/// A record can be given up but not taken back, so it outlives its thread.
class registered_thread {
public:
    registered_thread() : record_(new ck_epoch_record_t) { ck_epoch_register(&epoch(), record_, nullptr); }
    registered_thread(const registered_thread&) = delete;
    registered_thread& operator=(const registered_thread&) = delete;
    ~registered_thread() { ck_epoch_unregister(record_); }

    ck_epoch_record_t* record() { return record_; }

private:
    ck_epoch_record_t* const record_;
};

struct epoch_reader {
    void section() {
        ck_epoch_begin(thread.record(), nullptr);
        ck_epoch_end(thread.record(), nullptr);
    }
    registered_thread thread;
};

/// Its manual leaves open how often to poll and shows a poll at each call; fewer are faster up to some hundred calls.
constexpr unsigned at_each_call = 1;
constexpr unsigned every_256_calls = 256;
constexpr unsigned never = 0;

template <class Allocator, unsigned Poll>
struct epoch_scheme {
    struct object : ck_epoch_entry_t {
        unsigned char payload[object_size - sizeof(ck_epoch_entry_t)];
    };
    static_assert(sizeof(object) == object_size);

    epoch_scheme() { Allocator::load(); }
    void finish() {}

    static void free_it(ck_epoch_entry_t* e) {
        count_freed();
        Allocator::free(static_cast<object*>(e));
    }

    struct thread_state {
        explicit thread_state(epoch_scheme& /*scheme*/) {}
        void allocate_and_free_later() {
            auto* const o = static_cast<object*>(Allocator::allocate(sizeof(object)));
            touch(o->payload);
            ck_epoch_call(thread.record(), o, &free_it);
            if constexpr (Poll != never) {
                if (++calls % Poll == 0) {
                    ck_epoch_poll(thread.record());
                }
            }
        }
        // A barrier is about what its own thread has deferred.
        void finish() { ck_epoch_barrier(thread.record()); }

        registered_thread thread;
        unsigned calls = 0;
    };
};

const registration sections(group::read_side, "ck_epoch", side::rival, &read_side<epoch_reader>);
// Polls would leave nothing to the barrier.
const registration barrier_of_calls(group::barrier, "ck_epoch_barrier", side::rival,
                                    &barrier_latency<epoch_scheme<system_malloc, never>>);
const registration flood_of_calls(group::flood, "ck_epoch + malloc", side::rival,
                                  &flood<epoch_scheme<system_malloc, every_256_calls>>);

[[maybe_unused]] const bool registered = [] {
    register_scheme<epoch_scheme<system_malloc, every_256_calls>>("ck_epoch + malloc", side::rival);
    register_scheme<epoch_scheme<system_malloc, at_each_call>>("ck_epoch, polled each time, + malloc", side::rival);
#ifdef BENCH_MIMALLOC
    register_scheme<epoch_scheme<mimalloc, every_256_calls>>("ck_epoch + mimalloc", side::rival);
#endif
#ifdef BENCH_JEMALLOC
    register_scheme<epoch_scheme<jemalloc, every_256_calls>>("ck_epoch + jemalloc", side::rival);
#endif
    return true;
}();

}  // namespace

}  // namespace quiesce::bench
