// The native platform with what scenarios need beside it: sizes and defects chosen at run time, yields injected from a
// seed, checks. The scenario's own threads take the steps, so there is no driver.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "quiesce/native_platform.hpp"
#include "relacy_models/played_driver.hpp"
#include "tsan_tests/sanitizers.hpp"

namespace quiesce::stress {

/// What one run of a scenario is told and finds out.
struct run_state {
    quiesce::limits sizes;
    defect seeded = defect::none;
    std::atomic<std::uint64_t> failures{0};
    std::atomic<const char*> first_failure{nullptr};
    std::atomic<std::uint64_t> reached{0};
};

extern run_state current;

/// Seeds the calling thread's choices.
void seed_thread(std::uint64_t seed) noexcept;
/// A pseudo-random number below n.
unsigned random_below(unsigned n) noexcept;
/// Sometimes gives the processor up, so that other orders of the steps are seen.
void maybe_yield() noexcept;

/// Stays where it is for a while, often: called in the situations that a scenario is about.
void linger() noexcept;

/// Freed memory is kept, so that a defective program's read of it is a failed check and not a crash; sanitizers are
/// told that it is freed. Returned to the system by `release_kept`.
void* allocate(std::size_t bytes, std::size_t alignment) noexcept;
void keep(void* memory, std::size_t bytes, std::size_t alignment) noexcept;
void release_kept() noexcept;

/// From now on allocations fail that come after so many others, of whatever thread: the next one, or all. Until
/// `let_allocations_succeed`, which returns whether one failed.
void fail_allocations_after(std::uint64_t others, bool all) noexcept;
bool let_allocations_succeed() noexcept;
/// What was allocated and not deallocated.
std::uint64_t allocated_blocks() noexcept;

class stress_platform : public native_platform {
public:
    template <class Domain>
    using driver = models::played_driver<Domain>;
    template <class Domain>
    using worker = models::played_driver<Domain>;

    static void light_fence() noexcept {
        native_platform::light_fence();
        maybe_yield();
    }
    static void heavy_fence() noexcept {
        maybe_yield();
        native_platform::heavy_fence();
    }
    template <class T>
    static void wake(atomic<T>& cell) noexcept {
        maybe_yield();
        native_platform::wake(cell);
    }

    static void* allocate(std::size_t bytes, std::size_t alignment) noexcept {
        maybe_yield();
        return stress::allocate(bytes, alignment);
    }
    static void deallocate(void* memory, std::size_t bytes, std::size_t alignment) noexcept {
        keep(memory, bytes, alignment);
    }

    static void* map(std::size_t bytes) noexcept { return allocate(bytes, limits().page_bytes); }
    static void unmap(void* memory, std::size_t bytes) noexcept { deallocate(memory, bytes, limits().page_bytes); }

    static const quiesce::limits& limits() noexcept { return current.sizes; }
    static bool seeded(defect d) noexcept {
        maybe_yield();
        return current.seeded == d;
    }
    static std::uint64_t now() noexcept;
    /// None: a scenario asks for them.
    static stall_options default_stall_options() noexcept { return {}; }
    /// The calling thread's clock goes on.
    static void let_time_pass(std::uint64_t milliseconds) noexcept;
    static unsigned this_shard() noexcept;
    static void move_to_shard(unsigned n) noexcept;
    /// From here on every allocation of the calling thread may fail.
    static void let_allocations_fail() noexcept;
    static bool checked() noexcept { return true; }
    static unsigned choose(unsigned n) noexcept { return random_below(n); }

    static void check(bool condition, const char* message) noexcept {
        if (!condition) {
            const char* none = nullptr;
            current.first_failure.compare_exchange_strong(none, message);
            current.failures.fetch_add(1);
        }
    }
    static void report(const misuse_report& r) noexcept { check(false, describe(r.kind)); }
    static void reached(std::string_view) noexcept {
        current.reached.fetch_add(1, std::memory_order_relaxed);
        linger();
    }
};

}  // namespace quiesce::stress
