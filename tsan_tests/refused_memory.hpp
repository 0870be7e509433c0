// Memory and threads that cannot be had. Who includes it links refused_memory.cpp, which replaces operator new, so it
// goes into an executable of its own.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <new>

#include "quiesce/rcu.hpp"
#include "tsan_tests/domain_kinds.hpp"
#include "tsan_tests/free_rcu_support.hpp"

namespace quiesce::tests {

/// What the calling thread is refused. Starting a thread takes the operator that throws; free_rcu takes only the one
/// that does not. A block of addresses is large, the wrapper of one is small; `one` is the allocation that comes after
/// so many others.
enum class refused { nothing, threads, blocks, one, everything };
extern constinit thread_local refused refuse;
extern constinit thread_local unsigned allocations_before;
extern constinit thread_local unsigned refusals;

template <class P>
class FreeWithoutMemoryOf : public testing::Test {
protected:
    using to_delete = std::default_delete<headless>;

    // Where it is not about the reserve, there is none.
    FreeWithoutMemoryOf() { domain.keep_reserve(0); }

    // Makes a call while the calling thread is refused something.
    template <class Call>
    static auto without(refused what, Call call) {
        struct restore {
            ~restore() { refuse = refused::nothing; }
        } const at_the_end;
        refuse = what;
        return call();
    }

    template <class Call>
    static bool fails_without(refused what, Call call) {
        try {
            without(what, call);
        } catch (const std::bad_alloc&) {
            return true;
        }
        return false;
    }

    std::atomic<int> deleted{0};
    basic_rcu_domain<P> domain;
};
using FreeWithoutMemory = FreeWithoutMemoryOf<native_platform>;

}  // namespace quiesce::tests
