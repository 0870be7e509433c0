// The floor: the allocators by themselves. No reader is waited for, so nothing here is a rival.
#include "bench/allocators.hpp"
#include "bench/freed.hpp"
#include "bench/procedures.hpp"

namespace quiesce::bench {

namespace {

template <class Allocator>
struct immediate_free {
    immediate_free() { Allocator::load(); }
    void finish() {}

    struct thread_state {
        explicit thread_state(immediate_free& /*scheme*/) {}
        void allocate_and_free_later() {
            void* const object = Allocator::allocate(object_size);
            touch(object);
            count_freed();
            Allocator::free(object);
        }
        void finish() {}
    };
};

[[maybe_unused]] const bool registered = [] {
    register_scheme<immediate_free<system_malloc>>("malloc, freed at once", side::floor);
#ifdef BENCH_MIMALLOC
    register_scheme<immediate_free<mimalloc>>("mimalloc, freed at once", side::floor);
#endif
#ifdef BENCH_JEMALLOC
    register_scheme<immediate_free<jemalloc>>("jemalloc, freed at once", side::floor);
#endif
    return true;
}();

}  // namespace

}  // namespace quiesce::bench
