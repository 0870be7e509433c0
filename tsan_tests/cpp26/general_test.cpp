// [saferecl.rcu.general] of C++26. Variables that are not atomic are where ThreadSanitizer looks for what does not
// happen before what.
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <thread>

#include "tsan_tests/cpp26/rcu_under_test.hpp"

namespace {

using namespace quiesce::tests;

// p1: "RCU [...] allows the user to schedule specified actions such as deletion at some later time."
TEST(Cpp26General, ActionsAreScheduledForLater) {
    int done = 0;
    rcu_ns::rcu_retire(&done, [](int* p) { *p = 1; });
    rcu_ns::rcu_barrier();
    EXPECT_EQ(done, 1);
}

// p1: "RCU does not provide mutual exclusion"
TEST(Cpp26General, RegionsExcludeNobody) {
    std::latch both_inside(2);
    std::jthread threads[2];
    for (std::jthread& t : threads) {
        t = std::jthread([&both_inside] {
            rcu_ns::rcu_default_domain().lock();
            both_inside.arrive_and_wait();
            rcu_ns::rcu_default_domain().unlock();
        });
    }
}

// p2: "A class type T is rcu-protectable if it has exactly one base class of type rcu_obj_base<T, D> for some D, and
// that base is public and non-virtual, and it has no base classes of type rcu_obj_base<X, Y> for any other combination
// X, Y." What is not, does not compile: see ill_formed.cpp.
TEST(Cpp26General, ATypeWithOnePublicBaseIsProtectable) {
    struct other {
        int first = 0;
    };
    struct direct : other, rcu_ns::rcu_obj_base<direct> {};
    (new direct)->retire();

    struct between;
    struct layer : rcu_ns::rcu_obj_base<between> {};
    struct between : layer {};
    (new between)->retire();

    rcu_ns::rcu_barrier();
}

// p3: "An invocation of unlock U on an rcu_domain dom corresponds to an invocation of lock L on dom if L is sequenced
// before U and either no other invocation of lock on dom is sequenced after L and before U, or every invocation of
// unlock U2 on dom such that L is sequenced before U2 and U2 is sequenced before U corresponds to an invocation of lock
// L2 on dom such that L is sequenced before L2 and L2 is sequenced before U2." p4: "A region of RCU protection on a
// domain dom starts with a lock L on dom and ends with its corresponding unlock U."
TEST(Cpp26General, AnInnerUnlockClosesTheInnerRegionOnly) {
    int written = 0;
    region_elsewhere reader([&written] {
        rcu_ns::rcu_domain& domain = rcu_ns::rcu_default_domain();
        domain.lock();
        domain.lock();
        domain.unlock();
        domain.unlock();
        std::this_thread::sleep_for(a_moment);
        written = 1;
    });
    rcu_ns::rcu_synchronize();
    EXPECT_EQ(written, 1);
}

// p3 and p4, of regions that follow each other.
TEST(Cpp26General, ALaterLockStartsARegionOfItsOwn) {
    int written = 0;
    std::latch opened(1);
    const std::jthread reader([&] {
        rcu_ns::rcu_domain& domain = rcu_ns::rcu_default_domain();
        domain.lock();
        domain.unlock();
        domain.lock();
        opened.count_down();
        std::this_thread::sleep_for(a_moment);
        written = 1;
        domain.unlock();
    });
    opened.wait();
    rcu_ns::rcu_synchronize();
    EXPECT_EQ(written, 1);
}

// p3, its note: "This pairs nested locks and unlocks on a given domain in each thread."
TEST(Cpp26General, AnUnlockInAnotherThreadClosesNothingHere) {
    int written = 0;
    region_elsewhere reader([&written] {
        std::thread([] {
            rcu_ns::rcu_default_domain().lock();
            rcu_ns::rcu_default_domain().unlock();
        }).join();
        std::this_thread::sleep_for(a_moment);
        written = 1;
    });
    rcu_ns::rcu_synchronize();
    EXPECT_EQ(written, 1);
}

struct reads_at_its_end {
    int* what = nullptr;
    int* into = nullptr;
    template <class T>
    void operator()(T* object) const {
        *into = *what;
        delete object;
    }
};

// p5: "Given a region of RCU protection R on a domain dom and given an evaluation E that scheduled another evaluation F
// in dom, if E does not strongly happen before the start of R, the end of R strongly happens before evaluating F."
TEST(Cpp26General, ARegionEndsBeforeWhatRcuRetireScheduledInItsCourse) {
    int in_region = 0;
    int at_deletion = 0;
    region_elsewhere reader([&in_region] { in_region = 1; });
    rcu_ns::rcu_retire(new int(0), reads_at_its_end{&in_region, &at_deletion});
    rcu_ns::rcu_barrier();
    EXPECT_EQ(at_deletion, 1);
}

// p5, for the member function.
TEST(Cpp26General, ARegionEndsBeforeWhatRetireScheduledInItsCourse) {
    struct node : rcu_ns::rcu_obj_base<node, reads_at_its_end> {};
    int in_region = 0;
    int at_deletion = 0;
    region_elsewhere reader([&in_region] { in_region = 1; });
    (new node)->retire({&in_region, &at_deletion});
    rcu_ns::rcu_barrier();
    EXPECT_EQ(at_deletion, 1);
}

// p5, where the evaluation E is in the region itself.
TEST(Cpp26General, WhatARegionSchedulesIsEvaluatedAfterIt) {
    int in_region = 0;
    int at_deletion = 0;
    rcu_ns::rcu_default_domain().lock();
    rcu_ns::rcu_retire(new int(0), reads_at_its_end{&in_region, &at_deletion});
    std::this_thread::sleep_for(a_moment);
    in_region = 1;
    rcu_ns::rcu_default_domain().unlock();
    rcu_ns::rcu_barrier();
    EXPECT_EQ(at_deletion, 1);
}

// p5, as it is used: what a reader finds in a region is not deleted before the region ends.
TEST(Cpp26General, WhatReadersFindIsNotDeletedUnderThem) {
    struct node : rcu_ns::rcu_obj_base<node> {
        ~node() { alive = 0; }
        int alive = 1;
    };
    std::atomic<node*> current{new node};
    std::atomic<bool> stop{false};
    std::atomic<int> dead{0};
    {
        std::jthread readers[2];
        for (std::jthread& r : readers) {
            r = std::jthread([&] {
                while (!stop) {
                    rcu_ns::rcu_default_domain().lock();
                    dead += current.load(std::memory_order_acquire)->alive == 1 ? 0 : 1;
                    rcu_ns::rcu_default_domain().unlock();
                }
            });
        }
        for (int i = 0; i != 2000; ++i) {
            current.exchange(new node, std::memory_order_acq_rel)->retire();
        }
        stop = true;
    }
    current.load()->retire();
    rcu_ns::rcu_barrier();
    EXPECT_EQ(dead, 0);
}

// p6: "Each scheduled evaluation is evaluated at most once."
TEST(Cpp26General, WhatIsScheduledIsEvaluatedOnce) {
    struct node : rcu_ns::rcu_obj_base<node, void (*)(node*)> {
        std::atomic<int> evaluated{0};
    };
    const auto count = [](node* n) { n->evaluated.fetch_add(1); };
    const auto by_member = std::make_unique<node>();
    const auto by_function = std::make_unique<node>();
    by_member->retire(count);
    rcu_ns::rcu_retire(by_function.get(), count);
    for (int i = 0; i != 3; ++i) {
        rcu_ns::rcu_synchronize();
        rcu_ns::rcu_barrier();
    }
    EXPECT_EQ(by_member->evaluated, 1);
    EXPECT_EQ(by_function->evaluated, 1);
}

}  // namespace
