// The explorer as a platform of the core: the third, beside the native one and Relacy's.
#pragma once

#include <quiesce/explorer.hpp>

#include <atomic>
#include <cstdint>
#include <new>
#include <source_location>
#include <string_view>

#include "proofs/scenarios/instance.hpp"
#include "quiesce/platform.hpp"
#include "relacy_models/model_thread_slot.hpp"
#include "relacy_models/played_driver.hpp"

namespace quiesce::models {

class explorer_platform {
public:
    using place = std::source_location;

    template <class T>
    class atomic {
    public:
        explicit(false) atomic(T v, place at = place::current()) : cell_(v, at), wakes_(0, at) {}

        T load(std::memory_order order, place at = place::current()) const { return cell_.load(order, at); }
        void store(T v, std::memory_order order, place at = place::current()) { cell_.store(v, order, at); }
        T exchange(T v, std::memory_order order, place at = place::current()) { return cell_.exchange(v, order, at); }
        bool compare_exchange_strong(T& expected, T v, std::memory_order success, std::memory_order failure,
                                     place at = place::current()) {
            return cell_.compare_exchange_strong(expected, v, success, failure, at);
        }
        bool compare_exchange_weak(T& expected, T v, std::memory_order success, std::memory_order failure,
                                   place at = place::current()) {
            return cell_.compare_exchange_weak(expected, v, success, failure, at);
        }
        T fetch_add(T v, std::memory_order order, place at = place::current()) requires std::is_integral_v<T> {
            return cell_.fetch_add(v, order, at);
        }
        T fetch_sub(T v, std::memory_order order, place at = place::current()) requires std::is_integral_v<T> {
            return cell_.fetch_sub(v, order, at);
        }

    private:
        friend class explorer_platform;
        explorer::atomic<T> cell_;
        // How often it was woken. A parked thread waits for this to change, not for the value, so that a wake that is
        // missing is seen. Whether a wake came before a thread parked or after it makes no difference to a futex: if
        // before, the thread finds that the value is another one, and does not park. So any wake that the thread has
        // not seen lets it look again, and no execution is spent on which of the two it was.
        explorer::atomic<std::uint32_t> wakes_;
        // The wakes that each thread has seen; its own.
        std::uint32_t known_wakes_[proofs::max_threads] = {};
    };

    template <class T>
    class plain {
    public:
        explicit(false) plain(T v, place at = place::current()) : cell_(v, at) {}
        T get(place at = place::current()) const { return cell_.get(at); }
        void set(T v, place at = place::current()) { cell_.set(v, at); }

    private:
        friend class explorer_platform;
        explorer::plain<T> cell_;
    };

    class mutex {
    public:
        explicit mutex(place at = place::current()) : held_(0, at) {}
        void lock(place at = place::current()) {
            held_.await_exchange([](std::uint32_t held) { return held == 0; }, 1, std::memory_order_acquire, at);
        }
        bool try_lock(place at = place::current()) {
            std::uint32_t held = 0;
            return held_.compare_exchange_strong(held, 1, std::memory_order_acquire, std::memory_order_relaxed, at);
        }
        void unlock(place at = place::current()) { held_.store(0, std::memory_order_release, at); }

    private:
        explorer::atomic<std::uint32_t> held_;
    };

    template <class T>
    using thread_slot = model_thread_slot<T, explorer_platform>;

    template <class Domain>
    using driver = played_driver<Domain>;
    template <class Domain>
    using worker = played_driver<Domain>;

    static void light_fence(place at = place::current()) { explorer::light_fence(at); }
    static void heavy_fence(place at = place::current()) { explorer::heavy_fence(at); }

    template <class T, class Predicate>
    static T await(atomic<T>& cell, Predicate satisfied, std::memory_order order, place at = place::current()) {
        T seen = cell.load(order, at);
        while (!satisfied(seen)) {
            std::uint32_t& known = cell.known_wakes_[this_thread()];
            known =
                cell.wakes_.await([known](std::uint32_t now) { return now > known; }, std::memory_order_acquire, at);
            seen = cell.load(order, at);
        }
        return seen;
    }

    template <class T, class Predicate>
    static bool await_for(atomic<T>& cell, Predicate satisfied, std::memory_order order, unsigned,
                          place at = place::current()) {
        while (!satisfied(cell.load(order, at))) {
            if (explorer::choose(2, at) != 0) {
                return satisfied(cell.load(order, at));
            }
            std::uint32_t& known = cell.known_wakes_[this_thread()];
            known = cell.wakes_.await_timed([known](std::uint32_t now) { return now > known; },
                                            std::memory_order_acquire, at);
        }
        return true;
    }

    template <class T>
    static void wake(atomic<T>& cell, place at = place::current()) {
        cell.known_wakes_[this_thread()] = cell.wakes_.fetch_add(1, std::memory_order_acq_rel, at) + 1;
    }

    static std::uint64_t now() { return proofs::current->clock[this_thread()]; }
    static std::uint32_t thread_id() { return this_thread() + 1; }
    static thread_label thread_name(std::uint32_t) { return {}; }
    /// None: a scenario asks for them.
    static stall_options default_stall_options() { return {}; }
    static unsigned this_shard() { return proofs::current->shard[this_thread()]; }
    static unsigned choose(unsigned n, place at = place::current()) { return explorer::choose(n, at); }

    static void* allocate(std::size_t bytes, std::size_t alignment, place at = place::current()) {
        if (proofs::current->allocations_may_fail[this_thread()] && explorer::choose(2, at) != 0) {
            return nullptr;
        }
        return ::operator new (bytes, std::align_val_t{alignment});
    }
    static void deallocate(void* memory, std::size_t bytes, std::size_t alignment) {
        ::operator delete (memory, bytes, std::align_val_t{alignment});
    }

    static void* map(std::size_t bytes, place at = place::current()) {
        return allocate(bytes, limits().page_bytes, at);
    }
    static void unmap(void* memory, std::size_t bytes) { deallocate(memory, bytes, limits().page_bytes); }

    static const quiesce::limits& limits() { return proofs::settings.sizes; }
    static bool seeded(defect d) { return proofs::settings.seeded == d; }
    static bool checked() { return true; }
    static bool thread_is_busy() { return proofs::current->slots.is_busy(this_thread()); }
    static void guard(void*, std::size_t) {}
    static void unguard(void*, std::size_t) {}
    static void report(const misuse_report& r, place at = place::current()) { check(false, describe(r.kind), at); }

    // For model_thread_slot.

    static constexpr unsigned max_threads = proofs::max_threads;
    static unsigned this_thread() { return explorer::this_thread::number(); }
    static slot_list& slots() { return proofs::current->slots; }

    // For scenarios.

    static void check(bool condition, const char* message, place at = place::current()) {
        explorer::check(condition, message, at);
    }
    static void reached(std::string_view label) { proofs::reached.reach(label); }
    static void move_to_shard(unsigned n) { proofs::current->shard[this_thread()] = n; }
    /// The calling thread's clock goes on.
    static void let_time_pass(std::uint64_t milliseconds) { proofs::current->clock[this_thread()] += milliseconds; }
    /// From here on every allocation of the calling thread may fail.
    static void let_allocations_fail() { proofs::current->allocations_may_fail[this_thread()] = true; }
    template <class T>
    static void name(const T& object, const char* text) {
        if constexpr (requires { object.cell_; }) {
            explorer::name(object.cell_, text);
        }
    }
};

static_assert(platform<explorer_platform>);

}  // namespace quiesce::models
