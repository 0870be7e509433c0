// [rcu.syn] and [saferecl.rcu.domain.func] of C++26: what is not a member.
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>

#include "tsan_tests/cpp26/rcu_under_test.hpp"

namespace {

using namespace quiesce::tests;
using rcu_ns::rcu_domain;

// [rcu.syn]: "rcu_domain& rcu_default_domain() noexcept; void rcu_synchronize(rcu_domain& dom =
// rcu_default_domain()) noexcept; void rcu_barrier(rcu_domain& dom = rcu_default_domain()) noexcept;
// template<class T, class D = default_delete<T>> void rcu_retire(T* p, D d = D(), rcu_domain& dom =
// rcu_default_domain());"
TEST(Cpp26Synopsis, FunctionsHaveItsSignatures) {
    rcu_domain& domain = rcu_ns::rcu_default_domain();
    static_assert(std::is_same_v<decltype(rcu_ns::rcu_default_domain()), rcu_domain&>);
    static_assert(noexcept(rcu_ns::rcu_default_domain()));
    static_assert(noexcept(rcu_ns::rcu_synchronize())&& noexcept(rcu_ns::rcu_synchronize(domain)));
    static_assert(noexcept(rcu_ns::rcu_barrier())&& noexcept(rcu_ns::rcu_barrier(domain)));
    static_assert(std::is_same_v<decltype(rcu_ns::rcu_synchronize()), void>);
    static_assert(std::is_same_v<decltype(rcu_ns::rcu_barrier()), void>);
    static_assert(std::is_same_v<decltype(rcu_ns::rcu_retire(std::declval<int*>())), void>);
    static_assert(!noexcept(rcu_ns::rcu_retire(std::declval<int*>())));
    rcu_ns::rcu_retire(new int(1));
    rcu_ns::rcu_retire(new int(2), std::default_delete<int>());
    rcu_ns::rcu_retire(new int(3), std::default_delete<int>(), domain);
    rcu_ns::rcu_retire<int>(new int(4));
    rcu_ns::rcu_retire<int, std::default_delete<int>>(new int(5), {}, domain);
    rcu_ns::rcu_barrier(domain);
    rcu_ns::rcu_synchronize(domain);
}

// [rcu.syn], of a domain as an argument: the functions are found in its namespace.
TEST(Cpp26Synopsis, FunctionsAreFoundByTheirArgument) {
    rcu_domain& domain = rcu_ns::rcu_default_domain();
    rcu_synchronize(domain);
    rcu_retire(new int(1), std::default_delete<int>(), domain);
    rcu_barrier(domain);
}

// [saferecl.rcu.domain.func] p1: "A reference to the same object is returned every time this function is called."
TEST(Cpp26Functions, TheDefaultDomainIsAlwaysTheSame) {
    rcu_domain* elsewhere = nullptr;
    std::thread([&elsewhere] { elsewhere = &rcu_ns::rcu_default_domain(); }).join();
    EXPECT_EQ(&rcu_ns::rcu_default_domain(), &rcu_ns::rcu_default_domain());
    EXPECT_EQ(&rcu_ns::rcu_default_domain(), elsewhere);
}

// [saferecl.rcu.domain.func] p2: "If the call to rcu_synchronize does not strongly happen before the lock opening an
// RCU protection region R on dom, blocks until the unlock closing R happens." p3: "The unlock closing R strongly
// happens before the return from rcu_synchronize."
TEST(Cpp26Functions, SynchronizeWaitsForOpenRegions) {
    for (int i = 0; i != 5; ++i) {
        int written[2] = {};
        region_elsewhere one([&written] { written[0] = 1; });
        region_elsewhere other([&written] { written[1] = 1; });
        rcu_ns::rcu_synchronize();
        EXPECT_EQ(written[0] + written[1], 2);
    }
}

// p2 and p3, of a region of which nothing else says whether it began before the call: it is over, or it sees what came
// before the call.
TEST(Cpp26Functions, ARegionIsOverOrBeginsAfterTheCallToSynchronize) {
    for (int i = 0; i != 200; ++i) {
        std::atomic<int> published{0};
        int in_region = 0;
        const std::jthread reader([&] {
            const std::scoped_lock region(rcu_ns::rcu_default_domain());
            if (published.load(std::memory_order_relaxed) == 0) {
                in_region = 1;
            }
        });
        published.store(1, std::memory_order_relaxed);
        rcu_ns::rcu_synchronize();
        in_region = 2;
    }
}

// p2, of calls at the same time.
TEST(Cpp26Functions, EveryCallOfSynchronizeWaits) {
    int written = 0;
    region_elsewhere reader([&written] { written = 1; });
    std::jthread callers[3];
    for (std::jthread& c : callers) {
        c = std::jthread([&written] {
            rcu_ns::rcu_synchronize();
            EXPECT_EQ(written, 1);
        });
    }
}

// [saferecl.rcu.domain.func] p4: "For any evaluation that happens before the call to rcu_barrier and that schedules an
// evaluation E in dom, blocks until E has been evaluated." p5: "The evaluation of any such E strongly happens before
// the return from rcu_barrier."
TEST(Cpp26Functions, BarrierWaitsForWhatThisThreadScheduled) {
    struct node : rcu_ns::rcu_obj_base<node, void (*)(node*)> {
        int evaluated = 0;
    };
    node n;
    int by_function = 0;
    n.retire([](node* p) {
        std::this_thread::sleep_for(a_moment);
        p->evaluated = 1;
    });
    rcu_ns::rcu_retire(&by_function, [](int* p) {
        std::this_thread::sleep_for(a_moment);
        *p = 1;
    });
    rcu_ns::rcu_barrier();
    EXPECT_EQ(n.evaluated + by_function, 2);
}

// p4 and p5, of what another thread scheduled: "happens before" is all that is asked.
TEST(Cpp26Functions, BarrierWaitsForWhatOtherThreadsScheduledBefore) {
    for (int i = 0; i != 20; ++i) {
        int evaluated[3] = {};
        std::atomic<int> scheduled{0};
        std::jthread threads[3];
        for (int t = 0; t != 3; ++t) {
            threads[t] = std::jthread([&scheduled, p = &evaluated[t]] {
                rcu_ns::rcu_retire(p, [](int* e) {
                    std::this_thread::sleep_for(std::chrono::milliseconds(1));
                    *e = 1;
                });
                scheduled.fetch_add(1, std::memory_order_release);
            });
        }
        while (scheduled.load(std::memory_order_acquire) != 3) {
        }
        rcu_ns::rcu_barrier();
        EXPECT_EQ(evaluated[0] + evaluated[1] + evaluated[2], 3);
    }
}

// [saferecl.rcu.domain.func] p7: "D meets the Cpp17MoveConstructible and Cpp17Destructible requirements." and no
// others.
TEST(Cpp26Functions, ADeleterNeedsAMoveConstructorAndADestructorOnly) {
    struct moved_only {
        explicit moved_only(int* d) : deleted(d) {}
        moved_only(moved_only&& other) noexcept : deleted(other.deleted) {}
        moved_only& operator=(moved_only&&) = delete;
        void operator()(int* p) {
            delete p;
            ++*deleted;
        }
        int* deleted;
    };
    int deleted = 0;
    rcu_ns::rcu_retire(new int(0), moved_only(&deleted));
    rcu_ns::rcu_barrier();
    EXPECT_EQ(deleted, 1);
}

// p8: "Initializes an object d1 of type D from std::move(d)."
TEST(Cpp26Functions, TheDeleterIsMovedFromTheParameter) {
    auto owned = std::make_unique<int>(5);
    int seen = 0;
    rcu_ns::rcu_retire(&seen, [o = std::move(owned)](int* p) { *p = *o; });
    rcu_ns::rcu_barrier();
    EXPECT_EQ(seen, 5);
}

// p8: "Schedules the evaluation of d1(p) in the domain dom"
TEST(Cpp26Functions, TheDeleterIsCalledAsAnLvalueWithThePointer) {
    struct by_category {
        void operator()(int* p) & { *p = 1; }
        void operator()(int* p) const& { *p = 2; }
        void operator()(int* p) && { *p = 3; }
    };
    int category = 0;
    rcu_ns::rcu_retire(&category, by_category());
    const int* given = nullptr;
    const int object = 0;
    rcu_ns::rcu_retire(&object, [&given](const int* p) { given = p; });
    int erased = 0;
    rcu_ns::rcu_retire(static_cast<void*>(&erased), [](void* p) { *static_cast<int*>(p) = 1; });
    rcu_ns::rcu_barrier();
    EXPECT_EQ(category, 1);
    EXPECT_EQ(given, &object);
    EXPECT_EQ(erased, 1);
}

struct throws_when_moved {
    explicit throws_when_moved(int* d) : deleted(d) {}
    throws_when_moved(throws_when_moved&&) { throw std::runtime_error("moved"); }
    void operator()(int*) const { ++*deleted; }
    int* deleted;
};

// p8, its note: "If rcu_retire exits via an exception, no evaluation is scheduled." p9: "Throws: bad_alloc or any
// exception thrown by the initialization of d1."
TEST(Cpp26Functions, WhatTheMoveOfTheDeleterThrowsIsThrownAndNothingIsScheduled) {
    int deleted = 0;
    int object = 0;
    EXPECT_THROW(rcu_ns::rcu_retire(&object, throws_when_moved(&deleted)), std::runtime_error);
    rcu_ns::rcu_barrier();
    EXPECT_EQ(deleted, 0);
}

// p8, of what the standard does not forbid: in a region and in a scheduled evaluation.
TEST(Cpp26Functions, RcuRetireMayBeCalledInARegionAndInADeleter) {
    int inner = 0;
    rcu_ns::rcu_default_domain().lock();
    rcu_ns::rcu_retire(&inner, [](int* p) {
        const std::scoped_lock region(rcu_ns::rcu_default_domain());
        rcu_ns::rcu_retire(p, [](int* q) { *q = 1; });
    });
    rcu_ns::rcu_default_domain().unlock();
    rcu_ns::rcu_barrier();
    rcu_ns::rcu_barrier();  // what the first one scheduled
    EXPECT_EQ(inner, 1);
}

}  // namespace
