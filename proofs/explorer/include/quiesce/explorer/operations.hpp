// What the types of the explorer ask of the engine. Programs do not call it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <source_location>
#include <type_traits>

namespace quiesce::explorer::detail {

using place = std::source_location;

// Orders of what is no atomic operation in the standard but is made of one here: a fence of the program's does not pair
// with any of them, and in no model are they stronger.
/// Orders nothing.
inline constexpr auto order_silent = static_cast<std::memory_order>(64);
/// Releases; reading for it acquires nothing.
inline constexpr auto order_announcing = static_cast<std::memory_order>(65);
/// Of an update. Acquires what the store at the head of the release sequence released, and not what the updates behind
/// it did.
inline constexpr auto order_from_head = static_cast<std::memory_order>(66);

enum class operation : std::uint8_t { load, store, update, compare_exchange, await };

struct access {
    operation what;
    const void* cell;
    std::uint64_t operand = 0;
    std::uint64_t desired = 0;
    std::memory_order success = std::memory_order_relaxed;
    std::memory_order failure = std::memory_order_relaxed;
    bool non_atomic = false;
    bool weak = false;
    /// Of an await: whether it may give up, so that waiting for ever is no deadlock.
    bool timed = false;
    /// Not the cell but the threads that wait at it: a word that is 0 from the start.
    bool waiters = false;
    /// Of a load: it sees what happens before the notifications that came before the calling thread enlisted, which was
    /// its last operation.
    bool after_enlisting = false;
    /// A store: the first, of a constructor.
    bool constructs = false;
    std::uint8_t bytes = 1;
    std::uint64_t (*apply)(std::uint64_t old, std::uint64_t operand) = nullptr;
    bool (*holds)(const void* captured, std::uint64_t value) = nullptr;
    const void* captured = nullptr;
    std::size_t captured_bytes = 0;
};

/// Returns what was read; of a compare-exchange that failed spuriously `succeeded` tells.
std::uint64_t perform(const access& a, const place& at, bool* succeeded = nullptr);
enum class fence_kind : std::uint8_t { standard, light, heavy };
void fence(std::memory_order order, fence_kind kind, const place& at);
unsigned spawn(void (*run)(void* body), void* body, const place& at);
void join(unsigned thread, const place& at);
void check(bool condition, const char* message, const place& at);
void violate(const char* kind, const char* message);
/// A violation of a rule of the standard: "misuse".
void require(bool condition, const char* rule, const place& at);
/// Ends the exploration with the verdict engine_error.
void refuse(const char* sentence);
void assume(bool condition);
unsigned choose(unsigned alternatives, const place& at);
void free_memory(void* memory, std::size_t bytes, const place& at);
/// Memory that goes with the execution and is nobody's leak.
void* allocate(std::size_t bytes, std::size_t alignment);
unsigned self();
/// Whether the caller is in a run of an exploration.
bool is_in_a_run();
/// A number that the calling thread has in this run and nobody else ever.
std::uint64_t holder();
void name(const void* cell, const char* text);
void record(const std::int64_t* values, std::size_t count);
std::uint64_t newest(const void* cell, std::size_t bytes, const place& at);
/// The calling thread's own pointer under a key, null at first.
void*& thread_value(const void* key);
/// The key may stand for something else from here on.
void forget_thread_values(const void* key);
/// Called when the calling thread ends, the last given first.
void at_thread_exit(void (*function)(void*), void* argument);
void yield(const place& at);

// Waiting at a cell until another thread notifies: a thread enlists, looks whether it must wait, and sleeps or
// withdraws. What a notification does happens in one step, and of the threads that are enlisted notify_one picks any.
// None of it synchronises. A notification that announces lets whoever enlists later see what happens before it, with a
// load that says so; the others let nobody.
void enlist(const void* cell, const place& at);
/// A thread that was picked in the meantime passes the notification on.
void withdraw(const void* cell, const place& at);
void sleep(const void* cell, bool timed, const place& at);
void notify_one(const void* cell, bool announces, const place& at);
void notify_all(const void* cell, bool announces, const place& at);
/// A choice, as often as the options allow: whether an operation returns for no reason.
bool returns_spuriously(const place& at);

template <class T>
std::uint64_t to_word(T value) noexcept {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(std::uint64_t));
    // Padding is no part of a value.
#if __has_builtin(__builtin_clear_padding)
    __builtin_clear_padding(&value);
#endif
    std::uint64_t word = 0;
    __builtin_memcpy(&word, static_cast<const void*>(&value), sizeof(T));
    return word;
}
template <class T>
T from_word(std::uint64_t word) noexcept {
    T value;
    __builtin_memcpy(static_cast<void*>(&value), &word, sizeof(T));
    return value;
}

}  // namespace quiesce::explorer::detail
