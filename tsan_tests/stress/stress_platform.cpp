#include "tsan_tests/stress/stress_platform.hpp"

#include <sched.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#if defined(QUIESCE_ASAN)
#include <sanitizer/asan_interface.h>
#define QUIESCE_POISON(memory, bytes) __asan_poison_memory_region(memory, bytes)
#define QUIESCE_UNPOISON(memory, bytes) __asan_unpoison_memory_region(memory, bytes)
#else
#define QUIESCE_POISON(memory, bytes) static_cast<void>(memory)
#define QUIESCE_UNPOISON(memory, bytes) static_cast<void>(memory)
#endif

namespace quiesce::stress {

run_state current;

namespace {

thread_local std::uint64_t random_state = 1;
thread_local unsigned shard = 0;
/// How far the thread's clock is ahead.
thread_local std::uint64_t ahead = 0;
thread_local bool allocations_may_fail = false;

struct kept_block {
    void* memory;
    std::size_t bytes;
    std::size_t alignment;
};
/// Allocations that still succeed; negative when all do.
std::atomic<std::int64_t> until_failure{-1};
std::atomic<bool> all_fail_then{false};
std::atomic<bool> one_failed{false};
std::atomic<std::uint64_t> allocated{0};

std::mutex kept_lock;
std::vector<kept_block> kept;

}  // namespace

void seed_thread(std::uint64_t seed) noexcept {
    random_state = seed * 0x9e3779b97f4a7c15U + 1;
    shard = 0;
    ahead = 0;
    allocations_may_fail = false;
}

unsigned random_below(unsigned n) noexcept {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return static_cast<unsigned>((random_state >> 32) % n);
}

void maybe_yield() noexcept {
    const unsigned r = random_below(64);
    if (r == 0) {
        std::this_thread::sleep_for(std::chrono::microseconds(20));
    } else if (r < 4) {
        ::sched_yield();
    }
}

void linger() noexcept {
    if (random_below(2) == 0) {
        std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
}

void* allocate(std::size_t bytes, std::size_t alignment) noexcept {
    if (allocations_may_fail && random_below(2) != 0) {
        return nullptr;
    }
    if (until_failure.load() >= 0) {
        const std::int64_t left = until_failure.fetch_sub(1);
        if (left <= 0 && (left == 0 || all_fail_then)) {
            if (all_fail_then) {
                until_failure = 0;
            }
            one_failed = true;
            return nullptr;
        }
    }
    allocated.fetch_add(1, std::memory_order_relaxed);
    return ::operator new (bytes, std::align_val_t{alignment}, std::nothrow);
}

void fail_allocations_after(std::uint64_t others, bool all) noexcept {
    one_failed = false;
    all_fail_then = all;
    until_failure = static_cast<std::int64_t>(others);
}

bool let_allocations_succeed() noexcept {
    until_failure = -1;
    return one_failed;
}

std::uint64_t allocated_blocks() noexcept {
    return allocated.load(std::memory_order_relaxed);
}

void keep(void* memory, std::size_t bytes, std::size_t alignment) noexcept {
    // The compiler drops what a destructor's caller wrote before the object's end; this write it cannot drop.
    allocated.fetch_sub(1, std::memory_order_relaxed);
    std::memset(memory, 0xdd, bytes);
    QUIESCE_POISON(memory, bytes);
    const std::scoped_lock hold(kept_lock);
    kept.push_back({memory, bytes, alignment});
}

void release_kept() noexcept {
    const std::scoped_lock hold(kept_lock);
    for (const kept_block& b : kept) {
        QUIESCE_UNPOISON(b.memory, b.bytes);
        ::operator delete (b.memory, b.bytes, std::align_val_t{b.alignment});
    }
    kept.clear();
}

std::uint64_t stress_platform::now() noexcept {
    return native_platform::now() + ahead;
}
void stress_platform::let_time_pass(std::uint64_t milliseconds) noexcept {
    ahead += milliseconds;
}
unsigned stress_platform::this_shard() noexcept {
    return shard;
}
void stress_platform::let_allocations_fail() noexcept {
    allocations_may_fail = true;
}
void stress_platform::move_to_shard(unsigned n) noexcept {
    shard = n;
}

}  // namespace quiesce::stress
