#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "quiesce/rcu.hpp"

namespace {

using quiesce::rcu_domain;

TEST(ThreadExit, GivesTheReaderRecordToALaterThread) {
    rcu_domain domain;
    for (int i = 0; i != 100; ++i) {
        std::thread([&] { const std::scoped_lock section(domain); }).join();
    }
    EXPECT_EQ(domain.reader_records(), 1U);
}

TEST(ThreadExit, LeavesQueuedCallbacksToTheDriver) {
    rcu_domain domain;
    std::atomic<int> deleted{0};
    struct counted {
        ~counted() { count->fetch_add(1); }
        std::atomic<int>* count;
    };
    std::thread([&] { quiesce::rcu_retire(new counted{&deleted}, std::default_delete<counted>(), domain); }).join();
    domain.barrier();
    EXPECT_EQ(deleted, 1);
}

TEST(ThreadExit, ThreadLocalDestructorsMayStillReadAndRetire) {
    static rcu_domain* home;
    static std::atomic<int> deleted;
    struct counted {
        ~counted() { deleted.fetch_add(1); }
    };
    struct late {
        ~late() {
            const std::scoped_lock section(*home);
            quiesce::rcu_retire(retired, std::default_delete<counted>(), *home);
        }
        counted* retired = nullptr;
    };
    rcu_domain domain;
    home = &domain;
    deleted = 0;
    for (int i = 0; i != 20; ++i) {
        std::thread([&] {
            thread_local late l;
            l.retired = new counted;
            const std::scoped_lock section(domain);
        }).join();
    }
    domain.barrier();
    EXPECT_EQ(deleted, 20);
    EXPECT_EQ(domain.reader_records(), 1U);
}

TEST(ThreadExit, IsSafeWhileTheDomainIsDestroyed) {
    // A thread that read in a domain may outlive it.
    std::atomic<int> stage{0};
    std::thread reader;
    {
        rcu_domain domain;
        reader = std::thread([&] {
            { const std::scoped_lock section(domain); }
            stage = 1;
            stage.notify_all();
            stage.wait(1);
        });
        stage.wait(0);
    }
    stage = 2;
    stage.notify_all();
    reader.join();
}

}  // namespace
