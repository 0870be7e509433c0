// The Relacy platform. The only file that includes Relacy.
//
// Light and heavy fences are both sequentially consistent fences here, because a missing reader fence is never found
// with Relacy's own system-wide fence as the heavy one; that is stronger than production for light against light.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <new>
#include <source_location>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include "quiesce/platform.hpp"
#include "relacy_models/model_thread_slot.hpp"
#include "relacy_models/played_driver.hpp"
#include "relacy_models/relacy/instance.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Walloc-size-larger-than="
#endif
#include <relacy/relacy.hpp>
#pragma GCC diagnostic pop
#undef $
#undef VAR
#undef VAR_T
#undef TLS_T
#undef new
#undef delete
#undef malloc
#undef calloc
#undef realloc
#undef free
#undef assert
#undef errno
#undef memory_order_relaxed
#undef memory_order_consume
#undef memory_order_acquire
#undef memory_order_release
#undef memory_order_acq_rel
#undef memory_order_seq_cst

namespace quiesce::models {

class relacy_platform {
public:
    using place = std::source_location;

    template <class T>
    class atomic {
    public:
        atomic(T v, place at = place::current()) { cell_.store(v, rl::mo_relaxed, info(at)); }
        T load(std::memory_order order, place at = place::current()) const {
            return cell_.load(to_relacy(order), info(at));
        }
        void store(T v, std::memory_order order, place at = place::current()) {
            cell_.store(v, to_relacy(order), info(at));
        }
        T exchange(T v, std::memory_order order, place at = place::current()) {
            return cell_.exchange(v, to_relacy(order), info(at));
        }
        bool compare_exchange_strong(T& expected, T v, std::memory_order success, std::memory_order failure,
                                     place at = place::current()) {
            return cell_.compare_exchange_strong(expected, v, to_relacy(success), info(at), to_relacy(failure),
                                                 info(at));
        }
        bool compare_exchange_weak(T& expected, T v, std::memory_order success, std::memory_order failure,
                                   place at = place::current()) {
            return cell_.compare_exchange_weak(expected, v, to_relacy(success), info(at), to_relacy(failure), info(at));
        }
        T fetch_add(T v, std::memory_order order, place at = place::current()) requires std::is_integral_v<T> {
            return cell_.fetch_add(v, to_relacy(order), info(at));
        }
        T fetch_sub(T v, std::memory_order order, place at = place::current()) requires std::is_integral_v<T> {
            return cell_.fetch_sub(v, to_relacy(order), info(at));
        }

    private:
        friend class relacy_platform;
        rl::atomic<T> cell_;
    };

    template <class T>
    class plain {
    public:
        plain(T v, place at = place::current()) { variable_(info(at)).store(v); }
        T get(place at = place::current()) const { return variable_(info(at)).load(); }
        void set(T v, place at = place::current()) { variable_(info(at)).store(v); }

    private:
        rl::var<T> variable_;
    };

    // Not rl::mutex, whose try_lock fails spuriously.
    class mutex : rl::generic_mutex<mutex> {
        using base = rl::generic_mutex<mutex>;

    public:
        explicit mutex(place at = place::current()) { base::init(false, false, false, false, info(at)); }
        ~mutex() { base::deinit(info(place::current())); }
        void lock(place at = place::current()) { base::lock_exclusive(info(at)); }
        bool try_lock(place at = place::current()) { return base::try_lock_exclusive(info(at)); }
        void unlock(place at = place::current()) { base::unlock_exclusive(info(at)); }
    };

    template <class T>
    using thread_slot = model_thread_slot<T, relacy_platform>;

    template <class Domain>
    using driver = played_driver<Domain>;
    template <class Domain>
    using worker = played_driver<Domain>;

    static void light_fence(place at = place::current()) { rl::atomic_thread_fence(rl::mo_seq_cst, info(at)); }
    static void heavy_fence(place at = place::current()) { rl::atomic_thread_fence(rl::mo_seq_cst, info(at)); }

    template <class T, class Predicate>
    static T await(atomic<T>& cell, Predicate satisfied, std::memory_order order, place at = place::current()) {
        T seen = cell.load(order, at);
        while (!satisfied(seen)) {
            (void)park(cell, seen, false, at);
            seen = newest(cell, order, at);
        }
        return seen;
    }

    template <class T, class Predicate>
    static bool await_for(atomic<T>& cell, Predicate satisfied, std::memory_order order, unsigned,
                          place at = place::current()) {
        T seen = cell.load(order, at);
        while (!satisfied(seen)) {
            const bool in_time = park(cell, seen, true, at);
            seen = newest(cell, order, at);
            if (!in_time) {
                return satisfied(seen);
            }
        }
        return true;
    }

    template <class T>
    static void wake(atomic<T>& cell, place at = place::current()) {
        for (relacy::parked_thread& p : relacy::current.parked) {
            if (p.cell == &cell) {
                p.cell = nullptr;
                rl::ctx().unpark_thread(p.thread, false, info(at));
            }
        }
    }

    static std::uint64_t now() { return relacy::current.clock[this_thread()]; }
    static std::uint32_t thread_id() { return this_thread() + 1; }
    static thread_label thread_name(std::uint32_t) { return {}; }
    /// None: a scenario asks for them.
    static stall_options default_stall_options() { return {}; }
    static unsigned this_shard() { return relacy::current.shard[this_thread()]; }
    static unsigned choose(unsigned n) { return rl::rand(n); }

    static void* allocate(std::size_t bytes, std::size_t alignment, place at = place::current()) {
        if (relacy::current.allocations_may_fail[this_thread()] && rl::rand(2) != 0) {
            return nullptr;
        }
        // Relacy aligns to 16 and tracks the block that it gave, which is therefore kept in front of ours.
        auto* const block = static_cast<char*>(rl::ctx().alloc(bytes + alignment + sizeof(void*), false, info(at)));
        const auto address = reinterpret_cast<std::uintptr_t>(block) + sizeof(void*);
        char* const ours = block + sizeof(void*) + (alignment - address % alignment) % alignment;
        std::memcpy(ours - sizeof(void*), static_cast<const void*>(&block), sizeof(void*));
        return ours;
    }
    static void deallocate(void* memory, std::size_t, std::size_t, place at = place::current()) {
        void* block = nullptr;
        std::memcpy(static_cast<void*>(&block), static_cast<char*>(memory) - sizeof(void*), sizeof(void*));
        rl::ctx().free(block, false, info(at));
    }

    static void* map(std::size_t bytes, place at = place::current()) {
        return allocate(bytes, limits().page_bytes, at);
    }
    static void unmap(void* memory, std::size_t bytes, place at = place::current()) {
        deallocate(memory, bytes, limits().page_bytes, at);
    }

    static const quiesce::limits& limits() { return relacy::current.sizes; }
    static bool seeded(defect d) { return relacy::current.seeded == d; }
    static bool checked() { return true; }
    static bool thread_is_busy() { return relacy::current.slots.is_busy(this_thread()); }
    static void guard(void*, std::size_t) {}
    static void unguard(void*, std::size_t) {}
    static void report(const misuse_report& r, place at = place::current()) { check(false, describe(r.kind), at); }

    // For model_thread_slot.

    static constexpr unsigned max_threads = relacy::max_threads + 1;
    static unsigned this_thread() {
        return relacy::current.threads_run ? static_cast<unsigned>(rl::thread_index()) : relacy::alone;
    }
    static slot_list& slots() { return relacy::current.slots; }

    // For scenarios.

    static void check(bool condition, const char* message, place at = place::current()) {
        if (!condition) {
            rl::ctx().fail_test(message, rl::test_result_user_assert_failed, info(at));
        }
    }
    static void reached(std::string_view label) { relacy::current.reached.reach(label); }
    static void move_to_shard(unsigned n) { relacy::current.shard[this_thread()] = n; }
    /// The calling thread's clock goes on.
    static void let_time_pass(std::uint64_t milliseconds) { relacy::current.clock[this_thread()] += milliseconds; }
    /// From here on every allocation of the calling thread may fail.
    static void let_allocations_fail() { relacy::current.allocations_may_fail[this_thread()] = true; }
    template <class T>
    static void name(const T& object, const char* text) {
        relacy::current.name(&object, sizeof(T), text);
    }

private:
    static rl::debug_info info(place at) { return {at.function_name(), at.file_name(), at.line()}; }

    static rl::memory_order to_relacy(std::memory_order order) {
        switch (order) {
            case std::memory_order_relaxed: return rl::mo_relaxed;
            case std::memory_order_consume: return rl::mo_consume;
            case std::memory_order_acquire: return rl::mo_acquire;
            case std::memory_order_release: return rl::mo_release;
            case std::memory_order_acq_rel: return rl::mo_acq_rel;
            case std::memory_order_seq_cst: return rl::mo_seq_cst;
        }
        return rl::mo_seq_cst;
    }

    // Every store comes to be seen, and reads of older values that do not satisfy the await change nothing.
    template <class T>
    static T newest(atomic<T>& cell, std::memory_order order, place at) {
        return cell.fetch_add(0, order, at);
    }

    // As a futex: does not park when the cell has a newer value than the one that was seen. Returns false on timeout.
    template <class T>
    static bool park(atomic<T>& cell, T seen, bool timed, place at) {
        if (cell.cell_.debug_value() != seen) {
            return true;
        }
        const int self = static_cast<int>(rl::thread_index());
        relacy::parked_thread& entry = relacy::current.parked[static_cast<unsigned>(self)];
        entry = {&cell, self};
        const rl::unpark_reason reason = rl::ctx().park_current_thread(timed, false, false, info(at));
        entry.cell = nullptr;
        return reason != rl::unpark_reason_timeout;
    }
};

static_assert(platform<relacy_platform>);

}  // namespace quiesce::models
