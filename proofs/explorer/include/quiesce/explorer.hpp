// A stateless model checker for C++20 programs: every execution that the memory model allows, each exactly once.
//
//     namespace ex = quiesce::explorer;
//     ex::report r = ex::explore([] {
//         ex::atomic<int> x{0}, y{0};
//         int a = 0, b = 0;
//         ex::thread t1([&] { x.store(1, std::memory_order_relaxed); a = y.load(std::memory_order_relaxed); });
//         ex::thread t2([&] { y.store(1, std::memory_order_relaxed); b = x.load(std::memory_order_relaxed); });
//         t1.join();
//         t2.join();
//         ex::outcome(a, b);
//     });
//
// The program is run again for every execution, so it must do the same whenever it reads the same: no clocks, no
// addresses of the system, no state that survives a run. What threads share is declared with the types of this header;
// ordinary variables may be shared where the program orders the accesses, but are not checked.
//
// Source: Kokologiannakis, Marmanis, Gladstein and Vafeiadis, "Truly Stateless, Optimal Dynamic Partial Order
// Reduction", 2022, for the search; Lahav, Vafeiadis, Kang, Hur and Dreyer, "Repairing Sequential Consistency in
// C/C++11", 2017, for the memory model, with the release sequences of C++20.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace quiesce::explorer {

enum class memory_model : std::uint8_t {
    rc11,   ///< C++20 but for the order of seq_cst operations, which is that of "Repairing Sequential Consistency"
    cpp20,  ///< the order of seq_cst operations as the text of C++20 has it
    sc,     ///< interleavings: nothing is weak
};

enum class verdict : std::uint8_t {
    exhausted,         ///< every execution was explored; a proof at this bound
    bounded,           ///< the search stopped at a bound
    timed_out,         ///< the search stopped at a time limit
    violated,          ///< a failing execution was found
    nondeterministic,  ///< the program did not do the same when it read the same
    engine_error,      ///< the program asked for something that the engine cannot do
};

struct options {
    memory_model model = memory_model::rc11;
    /// Whether the search goes on after a violation, through racy executions too, and counts.
    bool keep_going = false;
    /// The most executions; 0 for no bound.
    std::uint64_t max_executions = 0;
    /// The most seconds; 0 for no limit.
    double max_seconds = 0;
    /// Called about twice a second with the executions of every kind so far.
    std::function<void(std::uint64_t executions, double seconds)> progress = {};
    /// Called with a hash of the graph of each complete execution: no two are the same.
    std::function<void(std::uint64_t graph)> each_execution = {};
    /// The most operations of one thread in one execution.
    unsigned max_operations = 10'000;
};

struct violation {
    /// "data race", "assertion", "deadlock", "use after free", "double free", "uninitialised read", "escaped
    /// exception", "unbounded loop", or what a program reports itself.
    std::string kind;
    std::string message;
    /// The execution, an operation in each line, in an order in which they can happen; each load with the store that it
    /// read. Empty with `keep_going`.
    std::string trace;
};

struct report {
    explorer::verdict verdict = explorer::verdict::exhausted;
    /// Complete ones: every thread ended.
    std::uint64_t executions = 0;
    /// No thread can go on, and each that waits has seen the newest value.
    std::uint64_t deadlocks = 0;
    /// A thread waits for a value that it may still read, or a failed assumption or check ended one.
    std::uint64_t incomplete = 0;
    /// Complete executions with a data race; without `keep_going` the search stops at the first.
    std::uint64_t racy = 0;
    /// The first that was found; its kind is empty when there is none.
    explorer::violation violation;
    double seconds = 0;
    /// What `outcome` recorded, with the number of complete executions that did.
    std::map<std::vector<std::int64_t>, std::uint64_t> outcomes;
};

namespace detail {

using place = std::source_location;

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
/// Ends the exploration with the verdict engine_error.
void refuse(const char* sentence);
void assume(bool condition);
unsigned choose(unsigned alternatives, const place& at);
void free_memory(void* memory, std::size_t bytes, const place& at);
unsigned self();
void name(const void* cell, const char* text);
void record(const std::int64_t* values, std::size_t count);
std::uint64_t newest(const void* cell);

template <class T>
std::uint64_t to_word(T value) noexcept {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(std::uint64_t));
    std::uint64_t word = 0;
    __builtin_memcpy(&word, &value, sizeof(T));
    return word;
}
template <class T>
T from_word(std::uint64_t word) noexcept {
    T value;
    __builtin_memcpy(&value, &word, sizeof(T));
    return value;
}

}  // namespace detail

/// As std::atomic, for trivially copyable types of up to eight bytes.
template <class T>
class atomic {
public:
    using value_type = T;

    explicit(false) atomic(T value = T(), detail::place at = detail::place::current()) {
        detail::perform(
            {.what = detail::operation::store, .cell = this, .operand = detail::to_word(value), .non_atomic = true},
            at);
    }
    atomic(const atomic&) = delete;
    atomic& operator=(const atomic&) = delete;

    T load(std::memory_order order = std::memory_order_seq_cst, detail::place at = detail::place::current()) const {
        return detail::from_word<T>(
            detail::perform({.what = detail::operation::load, .cell = this, .success = order}, at));
    }
    void store(T value, std::memory_order order = std::memory_order_seq_cst,
               detail::place at = detail::place::current()) {
        detail::perform(
            {.what = detail::operation::store, .cell = this, .operand = detail::to_word(value), .success = order}, at);
    }
    T exchange(T value, std::memory_order order = std::memory_order_seq_cst,
               detail::place at = detail::place::current()) {
        return update(value, order, at, [](std::uint64_t, std::uint64_t operand) { return operand; });
    }
    T fetch_add(T value, std::memory_order order = std::memory_order_seq_cst,
                detail::place at = detail::place::current()) requires std::is_integral_v<T> {
        return update(value, order, at, [](std::uint64_t old, std::uint64_t operand) {
            return detail::to_word(static_cast<T>(detail::from_word<T>(old) + detail::from_word<T>(operand)));
        });
    }
    T fetch_sub(T value, std::memory_order order = std::memory_order_seq_cst,
                detail::place at = detail::place::current()) requires std::is_integral_v<T> {
        return update(value, order, at, [](std::uint64_t old, std::uint64_t operand) {
            return detail::to_word(static_cast<T>(detail::from_word<T>(old) - detail::from_word<T>(operand)));
        });
    }
    T fetch_or(T value, std::memory_order order = std::memory_order_seq_cst,
               detail::place at = detail::place::current()) requires std::is_integral_v<T> {
        return update(value, order, at, [](std::uint64_t old, std::uint64_t operand) { return old | operand; });
    }
    T fetch_and(T value, std::memory_order order = std::memory_order_seq_cst,
                detail::place at = detail::place::current()) requires std::is_integral_v<T> {
        return update(value, order, at, [](std::uint64_t old, std::uint64_t operand) { return old & operand; });
    }
    T fetch_xor(T value, std::memory_order order = std::memory_order_seq_cst,
                detail::place at = detail::place::current()) requires std::is_integral_v<T> {
        return update(value, order, at, [](std::uint64_t old, std::uint64_t operand) { return old ^ operand; });
    }
    bool compare_exchange_strong(T& expected, T desired, std::memory_order success, std::memory_order failure,
                                 detail::place at = detail::place::current()) {
        return compare_exchange(expected, desired, success, failure, false, at);
    }
    bool compare_exchange_strong(T& expected, T desired, std::memory_order order = std::memory_order_seq_cst,
                                 detail::place at = detail::place::current()) {
        return compare_exchange(expected, desired, order, on_failure(order), false, at);
    }
    bool compare_exchange_weak(T& expected, T desired, std::memory_order success, std::memory_order failure,
                               detail::place at = detail::place::current()) {
        return compare_exchange(expected, desired, success, failure, true, at);
    }
    bool compare_exchange_weak(T& expected, T desired, std::memory_order order = std::memory_order_seq_cst,
                               detail::place at = detail::place::current()) {
        return compare_exchange(expected, desired, order, on_failure(order), true, at);
    }

    /// Blocks until a load satisfies the predicate; returns that value. One operation, whatever it waits for: use it
    /// instead of a loop. The predicate's captures are trivially copyable and at most sixteen bytes.
    template <class Predicate>
    T await(Predicate satisfied, std::memory_order order = std::memory_order_seq_cst,
            detail::place at = detail::place::current()) const {
        return await_and_update(satisfied, T(), nullptr, order, at);
    }
    /// The same, but a thread that waits here for ever is not a deadlock: the program offers another choice elsewhere.
    template <class Predicate>
    T await_timed(Predicate satisfied, std::memory_order order = std::memory_order_seq_cst,
                  detail::place at = detail::place::current()) const {
        return await_and_update(satisfied, T(), nullptr, order, at, true);
    }
    /// The same, and stores `value` in the same step.
    template <class Predicate>
    T await_exchange(Predicate satisfied, T value, std::memory_order order = std::memory_order_seq_cst,
                     detail::place at = detail::place::current()) {
        return await_and_update(
            satisfied, value, [](std::uint64_t, std::uint64_t operand) { return operand; }, order, at);
    }
    /// The same, and adds `value` in the same step.
    template <class Predicate>
    T await_add(Predicate satisfied, T value, std::memory_order order = std::memory_order_seq_cst,
                detail::place at = detail::place::current()) requires std::is_integral_v<T> {
        return await_and_update(
            satisfied, value,
            [](std::uint64_t old, std::uint64_t operand) {
                return detail::to_word(static_cast<T>(detail::from_word<T>(old) + detail::from_word<T>(operand)));
            },
            order, at);
    }

    /// Accesses as of an ordinary variable, which may race.
    T non_atomic_load(detail::place at = detail::place::current()) const {
        return detail::from_word<T>(
            detail::perform({.what = detail::operation::load, .cell = this, .non_atomic = true}, at));
    }
    void non_atomic_store(T value, detail::place at = detail::place::current()) {
        detail::perform(
            {.what = detail::operation::store, .cell = this, .operand = detail::to_word(value), .non_atomic = true},
            at);
    }

private:
    static constexpr std::memory_order on_failure(std::memory_order order) {
        switch (order) {
            case std::memory_order_acq_rel: return std::memory_order_acquire;
            case std::memory_order_release: return std::memory_order_relaxed;
            default: return order;
        }
    }

    T update(T value, std::memory_order order, const detail::place& at,
             std::uint64_t (*apply)(std::uint64_t, std::uint64_t)) {
        return detail::from_word<T>(detail::perform({.what = detail::operation::update,
                                                     .cell = this,
                                                     .operand = detail::to_word(value),
                                                     .success = order,
                                                     .apply = apply},
                                                    at));
    }

    bool compare_exchange(T& expected, T desired, std::memory_order success, std::memory_order failure, bool weak,
                          const detail::place& at) {
        bool succeeded = false;
        const std::uint64_t found = detail::perform({.what = detail::operation::compare_exchange,
                                                     .cell = this,
                                                     .operand = detail::to_word(expected),
                                                     .desired = detail::to_word(desired),
                                                     .success = success,
                                                     .failure = failure,
                                                     .weak = weak},
                                                    at, &succeeded);
        if (!succeeded) {
            expected = detail::from_word<T>(found);
        }
        return succeeded;
    }

    template <class Predicate>
    T await_and_update(const Predicate& satisfied, T value, std::uint64_t (*apply)(std::uint64_t, std::uint64_t),
                       std::memory_order order, const detail::place& at, bool timed = false) const {
        static_assert(std::is_trivially_copyable_v<Predicate> && sizeof(Predicate) <= 16,
                      "the captures of an await's predicate are trivially copyable and at most sixteen bytes");
        return detail::from_word<T>(detail::perform(
            {.what = detail::operation::await,
             .cell = this,
             .operand = detail::to_word(value),
             .success = order,
             .timed = timed,
             .apply = apply,
             .holds =
                 [](const void* captured, std::uint64_t found) {
                     return static_cast<bool>((*static_cast<const Predicate*>(captured))(detail::from_word<T>(found)));
                 },
             .captured = &satisfied,
             .captured_bytes = sizeof(Predicate)},
            at));
    }

    // Its address names the location; the value is the execution graph's.
    T unused_;
};

/// An ordinary variable that threads share: accesses that race are violations.
template <class T>
class plain {
public:
    explicit(false) plain(T value = T(), detail::place at = detail::place::current()) { set(value, at); }
    plain(const plain&) = delete;
    plain& operator=(const plain&) = delete;

    T get(detail::place at = detail::place::current()) const {
        return detail::from_word<T>(
            detail::perform({.what = detail::operation::load, .cell = this, .non_atomic = true}, at));
    }
    void set(T value, detail::place at = detail::place::current()) {
        detail::perform(
            {.what = detail::operation::store, .cell = this, .operand = detail::to_word(value), .non_atomic = true},
            at);
    }

private:
    T unused_;
};

/// As std::thread.
class thread {
public:
    template <class Body>
    explicit thread(Body body, detail::place at = detail::place::current())
        : id_(detail::spawn(&run<Body>, new Body(std::move(body)), at)) {}
    thread(const thread&) = delete;
    thread& operator=(const thread&) = delete;
    void join(detail::place at = detail::place::current()) { detail::join(id_, at); }

private:
    template <class Body>
    static void run(void* body) {
        auto* const b = static_cast<Body*>(body);
        (*b)();
        delete b;
    }

    unsigned id_;
};

inline void atomic_thread_fence(std::memory_order order, detail::place at = detail::place::current()) {
    detail::fence(order, detail::fence_kind::standard, at);
}
/// Orders only against heavy fences: what a compiler barrier is beside membarrier(2).
inline void light_fence(detail::place at = detail::place::current()) {
    detail::fence(std::memory_order_seq_cst, detail::fence_kind::light, at);
}
inline void heavy_fence(detail::place at = detail::place::current()) {
    detail::fence(std::memory_order_seq_cst, detail::fence_kind::heavy, at);
}

/// An assertion of the program.
inline void check(bool condition, const char* message = "a check failed", detail::place at = detail::place::current()) {
    detail::check(condition, message, at);
}
/// Names a location in traces; the text must outlive the exploration. A location without one goes by its declaration.
template <class Cell>
void name(const Cell& cell, const char* text) {
    detail::name(&cell, text);
}
/// Reports a violation of a kind of the program's own.
inline void violate(const char* kind, const char* message) {
    detail::violate(kind, message);
}
/// Ends the thread where the condition does not hold; the execution then does not count.
inline void assume(bool condition) {
    detail::assume(condition);
}
/// One of the numbers below `alternatives`; every one of them is explored.
inline unsigned choose(unsigned alternatives, detail::place at = detail::place::current()) {
    return detail::choose(alternatives, at);
}
/// Gives memory back: whoever uses an object in it from here on, or used one without being ordered before, is reported.
/// Nothing else of the program gets the memory.
inline void free_memory(void* memory, std::size_t bytes, detail::place at = detail::place::current()) {
    detail::free_memory(memory, bytes, at);
}
/// The number of the calling thread, below 64; the first is 0.
inline unsigned this_thread() {
    return detail::self();
}
/// Records what the execution came to, in the report's `outcomes`.
template <class... Values>
void outcome(Values... values) {
    const std::int64_t all[] = {static_cast<std::int64_t>(values)...};
    detail::record(all, sizeof...(values));
}
/// The last value in modification order, without an event: for outcomes, when the writers have ended.
template <class T>
T final_value(const atomic<T>& cell) {
    return detail::from_word<T>(detail::newest(&cell));
}
template <class T>
T final_value(const plain<T>& cell) {
    return detail::from_word<T>(detail::newest(&cell));
}

/// Runs `program` once for every execution that it can have. Explorations run one after another, each on the calling
/// thread.
report explore(const std::function<void()>& program, const options& how = {});

}  // namespace quiesce::explorer
