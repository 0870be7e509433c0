// What [saferecl.rcu] of C++26 says of exceptions, where no memory or no thread can be had.
#include <gtest/gtest.h>

#include <memory>
#include <new>
#include <thread>

#include "tsan_tests/refused_memory.hpp"

namespace {

using namespace quiesce::tests;
using quiesce::rcu_barrier;
using quiesce::rcu_retire;
using quiesce::rcu_synchronize;

class Cpp26WithoutMemory : public FreeWithoutMemory {};

struct plain : quiesce::rcu_obj_base<plain> {
    explicit plain(std::atomic<int>& d) : deleted(d) {}
    ~plain() { deleted.fetch_add(1); }
    std::atomic<int>& deleted;
};

// [saferecl.rcu.domain.func] p8, note: "If rcu_retire exits via an exception, no evaluation is scheduled." p9: "Throws:
// bad_alloc or any exception thrown by the initialization of d1."
TEST_F(Cpp26WithoutMemory, RcuRetireThrowsBadAllocAndSchedulesNothing) {
    auto* const object = new headless(deleted);
    EXPECT_TRUE(fails_without(refused::everything, [&] { rcu_retire(object, to_delete(), domain); }));
    rcu_barrier(domain);
    EXPECT_EQ(deleted, 0);
    rcu_retire(object, to_delete(), domain);
    rcu_barrier(domain);
    EXPECT_EQ(deleted, 1);
}

// p9, of the domain's driver: that none can be started is no exception, since the evaluation is scheduled.
TEST_F(Cpp26WithoutMemory, RcuRetireSchedulesWhereNoThreadCanBeHad) {
    auto* const object = new headless(deleted);
    refusals = 0;
    allocations_before = 1;  // the node; what comes next is the thread's
    without(refused::one, [&] { rcu_retire(object, to_delete(), domain); });
    EXPECT_EQ(refusals, 1U);
    rcu_barrier(domain);
    EXPECT_EQ(deleted, 1);
}

// [saferecl.rcu.base]: retire is noexcept. p9: it "schedules the evaluation".
TEST_F(Cpp26WithoutMemory, RetireThrowsNothingAndSchedules) {
    auto* const object = new plain(deleted);
    without(refused::everything, [&] { object->retire({}, domain); });
    rcu_barrier(domain);
    EXPECT_EQ(deleted, 1);
}

// [saferecl.rcu.domain.func]: rcu_barrier is noexcept. p4: it "may evaluate any scheduled evaluations", and does where
// no thread can be had that would.
TEST_F(Cpp26WithoutMemory, BarrierEvaluatesWhatNoDriverCan) {
    auto* const object = new plain(deleted);
    without(refused::everything, [&] {
        object->retire({}, domain);
        rcu_barrier(domain);
    });
    EXPECT_EQ(deleted, 1);
}

// [saferecl.rcu.domain.func]: rcu_synchronize is noexcept.
TEST_F(Cpp26WithoutMemory, SynchronizeNeedsNeitherMemoryNorAThread) {
    reader in_the_way(domain);
    const std::jthread leaver = in_the_way.leave_after(20ms);
    without(refused::everything, [&] { rcu_synchronize(domain); });
    EXPECT_TRUE(in_the_way.left());
}

// lock is not noexcept, as in C++26: a thread's first region needs memory.
TEST_F(Cpp26WithoutMemory, LockThatThrowsHasOpenedNoRegion) {
    std::thread([&] {
        EXPECT_TRUE(fails_without(refused::everything, [&] { domain.lock(); }));
        EXPECT_FALSE(domain.in_section());
        rcu_synchronize(domain);
        domain.lock();
        domain.unlock();
        without(refused::everything, [&] {
            domain.lock();
            domain.unlock();
        });
    }).join();
}

}  // namespace
