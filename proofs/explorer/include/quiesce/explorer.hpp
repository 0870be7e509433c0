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

#include <cstddef>
#include <cstdint>

#include <quiesce/explorer/atomic.hpp>
#include <quiesce/explorer/atomic_functions.hpp>
#include <quiesce/explorer/condition_variable.hpp>
#include <quiesce/explorer/explore.hpp>
#include <quiesce/explorer/jthread.hpp>
#include <quiesce/explorer/mutex.hpp>
#include <quiesce/explorer/synchronization.hpp>
#include <quiesce/explorer/thread.hpp>
#include <quiesce/explorer/timed_mutex.hpp>

namespace quiesce::explorer {

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
/// Gives memory back that is part of something larger, as an allocator of the program's own does: whoever uses an
/// object in it from here on, or used one without being ordered before, is reported. `delete` does the same for what
/// `new` gave.
inline void free_memory(void* memory, std::size_t bytes, detail::place at = detail::place::current()) {
    detail::free_memory(memory, bytes, at);
}
/// Records what the execution came to, in the report's `outcomes`. The last call of an execution counts.
template <class... Values>
void outcome(Values... values) {
    const std::int64_t all[] = {static_cast<std::int64_t>(values)...};
    detail::record(all, sizeof...(values));
}

}  // namespace quiesce::explorer
