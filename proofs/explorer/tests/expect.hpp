// What tests of programs expect of a report, and what several of them need.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>

#include <quiesce/explorer.hpp>

namespace quiesce::explorer {

inline void expect_exhausted(const report& r, std::uint64_t executions) {
    EXPECT_EQ(r.verdict, verdict::exhausted) << r.violation.kind << ": " << r.violation.message << "\n"
                                             << r.violation.trace;
    EXPECT_EQ(r.executions, executions);
}

/// The kind of the violation that the program has, or nothing.
inline std::string kind_of(const std::function<void()>& program, const options& how = {}) {
    const report r = explore(program, how);
    EXPECT_EQ(r.verdict, r.violation.kind.empty() ? verdict::exhausted : verdict::violated) << r.violation.message;
    return r.violation.kind;
}

// So that the compiler does not see where a pointer comes from.
template <class T>
T* opaque(T* p) {
    asm volatile("" : "+r"(p)::"memory");
    return p;
}

/// Each of two threads takes one first that the other takes second: they may wait for each other.
inline void two_mutexes_in_two_orders() {
    mutex a;
    mutex b;
    const auto both = [](mutex& first, mutex& second) {
        const lock_guard outer(first);
        const lock_guard inner(second);
    };
    thread other([&] { both(b, a); });
    both(a, b);
    other.join();
}

}  // namespace quiesce::explorer
