#include "bench/allocators.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>

namespace {

using namespace quiesce::bench;

template <class Allocator>
[[maybe_unused]] void expect_malloc_left_alone() {
    void* const before = dlsym(RTLD_DEFAULT, "malloc");
    Allocator::load();
    EXPECT_EQ(dlsym(RTLD_DEFAULT, "malloc"), before);
    void* const p = Allocator::allocate(64);
    ASSERT_NE(p, nullptr);
    touch(p);
    Allocator::free(p);
}

#ifdef BENCH_MIMALLOC
TEST(LoadedAllocator, MimallocLeavesTheMallocOfTheProcessAlone) {
    expect_malloc_left_alone<mimalloc>();
}
#endif

#ifdef BENCH_JEMALLOC
TEST(LoadedAllocator, JemallocLeavesTheMallocOfTheProcessAlone) {
    expect_malloc_left_alone<jemalloc>();
}
#endif

}  // namespace
