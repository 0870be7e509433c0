// The platform: the single seam through which every source of nondeterminism passes.
//
// Every protocol of the core is a template over a platform. The native platform is the product: std::atomic, futexes,
// membarrier(2). A model platform gives the same names to the operations of a checker, which then decides every
// interleaving, every value a load may return, every allocation that fails. A platform is a type with static members
// only; what would be a static variable belongs to an instance that a model resets for every run.
//
// Rules for the code above the seam:
// - the memory order is always written; there are no operators on an atomic;
// - no open-coded spin loop: `await(cell, predicate, order)` waits and `wake(cell)` wakes. A parked await looks again
//   only after a wake, so a missing wake is a bug that a model sees as a deadlock;
// - data that two threads may touch without an atomic lives in `plain<T>`, which a model checks for races;
// - a light fence orders only against a heavy one. Readers pay the light one (a compiler barrier natively), the rare
//   writer pays the heavy one (a barrier on every running thread of the process).
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>

#include "quiesce/defect.hpp"
#include "quiesce/limits.hpp"
#include "quiesce/report.hpp"
#include "quiesce/stall_report.hpp"

namespace quiesce {

namespace detail {

struct always {
    bool operator()(std::uint64_t) const noexcept { return true; }
};

template <class A, class T>
concept platform_atomic = requires(A a, T v, std::memory_order order) {
    { a.load(order) } -> std::same_as<T>;
    a.store(v, order);
    { a.exchange(v, order) } -> std::same_as<T>;
    { a.compare_exchange_strong(v, v, order, order) } -> std::same_as<bool>;
    { a.compare_exchange_weak(v, v, order, order) } -> std::same_as<bool>;
};

template <class A, class T>
concept platform_counter = platform_atomic<A, T> && requires(A a, T v, std::memory_order order) {
    { a.fetch_add(v, order) } -> std::same_as<T>;
    { a.fetch_sub(v, order) } -> std::same_as<T>;
};

}  // namespace detail

/// What a protocol of the core may ask of its platform.
template <class P>
concept platform = detail::platform_counter<typename P::template atomic<std::uint64_t>, std::uint64_t> &&
                   detail::platform_counter<typename P::template atomic<std::uint32_t>, std::uint32_t> &&
                   detail::platform_atomic < typename P::template atomic<void*>,
void* > &&requires(typename P::template atomic<std::uint64_t> cell, typename P::template plain<std::uint64_t> variable,
                   typename P::mutex mutex, void* address, misuse_report misuse, std::memory_order order) {
    { variable.get() } -> std::same_as<std::uint64_t>;
    variable.set(std::uint64_t{1});
    mutex.lock();
    // Fails only while another thread holds the mutex, as pthread_mutex_trylock.
    { mutex.try_lock() } -> std::same_as<bool>;
    mutex.unlock();
    P::light_fence();
    P::heavy_fence();
    // Blocks until a load of `cell` with `order` satisfies the predicate; returns that value.
    { P::await(cell, detail::always{}, order) } -> std::same_as<std::uint64_t>;
    // The same, but gives up after the given number of milliseconds; a model chooses whether time runs out.
    { P::await_for(cell, detail::always{}, order, 1U) } -> std::same_as<bool>;
    // Wakes every await parked on `cell`.
    P::wake(cell);
    // Milliseconds on a clock that never goes back; in a model it stands still, unless a scenario moves that of a
    // thread.
    { P::now() } -> std::same_as<std::uint64_t>;
    // The calling thread's number, not 0, and the name of the thread that has a number.
    { P::thread_id() } -> std::same_as<std::uint32_t>;
    { P::thread_name(std::uint32_t{1}) } -> std::same_as<thread_label>;
    // What a domain begins with, and the handler of who gives none.
    { P::default_stall_options() } -> std::same_as<stall_options>;
    { P::this_shard() } -> std::same_as<unsigned>;
    { P::choose(2U) } -> std::same_as<unsigned>;
    { P::allocate(std::size_t{64}, std::size_t{64}) } -> std::same_as<void*>;
    P::deallocate(address, std::size_t{64}, std::size_t{64});
    // From the first to the second nobody may touch the memory; for tools that can watch it.
    P::guard(address, std::size_t{64});
    P::unguard(address, std::size_t{64});
    // Whole pages, zero or not; null when there are none.
    { P::map(std::size_t{4096}) } -> std::same_as<void*>;
    P::unmap(address, std::size_t{4096});
    { P::limits() } -> std::convertible_to<const limits&>;
    { P::seeded(defect::none) } -> std::same_as<bool>;
    // Whether misuse that costs something to detect is looked for.
    { P::checked() } -> std::same_as<bool>;
    // Whether the calling thread is inside a section or a callback of some domain.
    { P::thread_is_busy() } -> std::same_as<bool>;
    P::report(misuse);
    // The name of an object in a model's traces.
    P::name(cell, "name");
    typename P::template thread_slot<int>;
};

namespace detail {

/// Whether a platform is for one thread alone (single_thread_platform.hpp).
template <class P>
concept one_thread = requires {
    requires P::single_thread;
};

}  // namespace detail

}  // namespace quiesce
