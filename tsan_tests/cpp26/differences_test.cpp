// Where C++26 leaves a choice, or quiesce has more than it or keeps another promise: docs/cpp26_rcu.md has the list.
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <mutex>
#include <thread>
#include <type_traits>

#include "quiesce/rcu.hpp"
#include "tsan_tests/free_rcu_support.hpp"

namespace {

using namespace quiesce::tests;
using quiesce::rcu_barrier;
using quiesce::rcu_domain;
using quiesce::rcu_retire;
using quiesce::rcu_synchronize;

// [saferecl.rcu.domain.members] declares lock and try_lock noexcept.
TEST(Cpp26Differences, LockMayThrowForAThreadsFirstRegion) {
    static_assert(!noexcept(std::declval<rcu_domain&>().lock()));
    static_assert(!noexcept(std::declval<rcu_domain&>().try_lock()));
}

// [saferecl.rcu.base] p6 makes rcu_obj_base<T, D> trivially copyable where D is. A trivial copy would read the link by
// which the object is queued, and race here with the retirement.
TEST(Cpp26Differences, AReaderMayCopyAnObjectThatIsBeingRetired) {
    struct config : quiesce::rcu_obj_base<config> {
        int limit = 1;
    };
    static_assert(!std::is_trivially_copyable_v<config>);
    rcu_domain domain;
    std::atomic<config*> current{new config};
    std::atomic<bool> stop{false};
    std::jthread copies([&] {
        while (!stop) {
            const std::scoped_lock region(domain);
            const config copy = *current.load(std::memory_order_acquire);
            EXPECT_EQ(copy.limit, 1);
        }
    });
    for (int i = 0; i != 2000; ++i) {
        current.exchange(new config, std::memory_order_acq_rel)->retire({}, domain);
    }
    stop = true;
    copies.join();
    current.load()->retire({}, domain);
    rcu_barrier(domain);
}

// C++26 has no constructor of a domain.
TEST(Cpp26Differences, DomainsMayBeMadeAndAreIndependent) {
    static_assert(std::is_default_constructible_v<rcu_domain>);
    rcu_domain one;
    rcu_domain other;
    const std::scoped_lock region(one);
    int evaluated = 0;
    rcu_retire(
        &evaluated, [](int* p) { *p = 1; }, other);
    rcu_synchronize(other);
    rcu_barrier(other);
    EXPECT_EQ(evaluated, 1);
}

TEST(Cpp26Differences, RegionsOfTwoDomainsOpenTogether) {
    rcu_domain one;
    rcu_domain other;
    {
        const std::scoped_lock regions(one, other);
        EXPECT_TRUE(one.in_section() && other.in_section());
    }
    std::lock(one, other);
    EXPECT_TRUE(one.in_section() && other.in_section());
    one.unlock();
    other.unlock();
    EXPECT_FALSE(one.in_section() || other.in_section());
}

// unlock, retire, rcu_retire and rcu_barrier "may invoke scheduled evaluations": here the driver does.
TEST(Cpp26Differences, DeletersRunOnTheDriver) {
    struct remember {
        void operator()(std::thread::id* where) const { *where = std::this_thread::get_id(); }
    };
    rcu_domain domain;
    std::thread::id first;
    std::thread::id second;
    for (std::thread::id* const where : {&first, &second}) {
        domain.lock();
        rcu_retire(where, remember(), domain);
        domain.unlock();
        rcu_barrier(domain);
    }
    EXPECT_NE(first, std::thread::id());
    EXPECT_NE(first, std::this_thread::get_id());
    EXPECT_EQ(first, second);
}

// A caller may so hold a lock that a deleter takes, other than across rcu_barrier.
TEST(Cpp26Differences, ALockHeldAcrossUnlockAndRetireMayBeTakenByADeleter) {
    rcu_domain domain;
    std::mutex m;
    int deleted = 0;
    const auto take = [&m, &deleted](int* p) {
        delete p;
        const std::scoped_lock hold(m);
        ++deleted;
    };
    {
        const std::scoped_lock hold(m);
        for (int i = 0; i != 100; ++i) {
            domain.lock();
            rcu_retire(new int(i), take, domain);
            domain.unlock();
            rcu_synchronize(domain);
        }
    }
    rcu_barrier(domain);
    EXPECT_EQ(deleted, 100);
}

// [saferecl.rcu.domain.func] p5, note: "A call to rcu_barrier does not imply a call to rcu_synchronize and vice versa."
TEST(Cpp26Differences, BarrierDoesNotWaitForRegionsAlone) {
    rcu_domain domain;
    reader in_the_way(domain);
    rcu_barrier(domain);
    EXPECT_FALSE(in_the_way.left());
}

TEST(Cpp26Differences, SynchronizeDoesNotWaitForDeleters) {
    rcu_domain domain;
    std::latch go(1);
    std::atomic<bool> evaluated{false};
    rcu_retire(
        &evaluated,
        [&go](std::atomic<bool>* done) {
            go.wait();
            *done = true;
        },
        domain);
    rcu_synchronize(domain);
    rcu_synchronize(domain);
    EXPECT_FALSE(evaluated);
    go.count_down();
    rcu_barrier(domain);
    EXPECT_TRUE(evaluated);
}

// What C++26 does not promise: that anything is evaluated without a call of rcu_barrier.
TEST(Cpp26Differences, DeletersRunWithoutAFurtherCall) {
    rcu_domain domain;
    std::atomic<int> deleted{0};
    rcu_retire(new headless(deleted), std::default_delete<headless>(), domain);
    EXPECT_TRUE(eventually([&deleted] { return deleted == 1; }));
}

struct counts_after_deleting {
    template <class T>
    void operator()(T* object) const {
        delete object;
        ++*deleted;
    }
    int* deleted = nullptr;
};

// C++26 calls the deleter where it is, in the object; here it is moved out first.
TEST(Cpp26Differences, ADeleterMayUseItsStateAfterItHasDeletedTheObject) {
    struct node : quiesce::rcu_obj_base<node, counts_after_deleting> {};
    rcu_domain domain;
    int deleted = 0;
    (new node)->retire({&deleted}, domain);
    rcu_barrier(domain);
    EXPECT_EQ(deleted, 1);
}

}  // namespace
