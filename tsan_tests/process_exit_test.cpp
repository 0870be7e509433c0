// Process exit: drivers stop, nothing is waited for, and destructors of statics may still retire objects.
#include <gtest/gtest.h>

#include <barrier>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

#include "quiesce/free_rcu.hpp"
#include "quiesce/object_cache.hpp"

namespace {

struct node : quiesce::rcu_obj_base<node> {
    int value = 0;
};

TEST(ProcessExitDeathTest, DoesNotWaitForASectionThatIsOpen) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_EXIT(
        {
            quiesce::rcu_default_domain().lock();
            (new node)->retire();
            std::exit(0);
        },
        testing::ExitedWithCode(0), "");
}

TEST(ProcessExitDeathTest, ACallbackMayEndTheProcess) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_EXIT(
        {
            struct last : quiesce::rcu_head {};
            quiesce::rcu_default_domain().retire(new last, [](quiesce::rcu_head*) { std::exit(7); });
            quiesce::rcu_barrier();
        },
        testing::ExitedWithCode(7), "");
}

TEST(ProcessExitDeathTest, DestructorsOfStaticsMayStillRetire) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_EXIT(
        {
            struct late {
                ~late() {
                    (new node)->retire();
                    std::fputs("retired at exit", stderr);
                }
            };
            static late l;
            (new node)->retire();  // the default domain, and its handler for exit, are younger than `l`
            std::exit(0);
        },
        testing::ExitedWithCode(0), "retired at exit");
}

// In a process of its own, where nothing has used the default domain yet.
TEST(ProcessExitDeathTest, ThreadsThatAskForTheDefaultDomainFirstFindItBuilt) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_EXIT(
        {
            {
                std::barrier all(4);
                std::vector<std::jthread> threads;
                for (int i = 0; i != 4; ++i) {
                    threads.emplace_back([&all, i] {
                        all.arrive_and_wait();
                        // The later ones come after the first has built it, and are not told so.
                        std::this_thread::sleep_for(std::chrono::milliseconds(20 * i));
                        const std::scoped_lock section(quiesce::rcu_default_domain());
                        (new node)->retire();
                    });
                }
            }
            quiesce::rcu_barrier();
            std::exit(0);
        },
        testing::ExitedWithCode(0), "");
}

TEST(ProcessExitDeathTest, DestructorsOfStaticsMayStillDeferFrees) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_EXIT(
        {
            struct late {
                ~late() {
                    for (int i = 0; i != 1000; ++i) {
                        quiesce::free_rcu(new int(i));
                    }
                    std::fputs("deferred at exit", stderr);
                }
            };
            static late l;
            quiesce::free_rcu(new int(0));  // the default domain, and its handler for exit, are younger than `l`
            std::exit(0);
        },
        testing::ExitedWithCode(0), "deferred at exit");
}

TEST(ProcessExitDeathTest, FlushAllWaitsForWhatIsPendingAlsoInALateDestructor) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_EXIT(
        {
            struct noisy {
                ~noisy() { std::fputs("freed, ", stderr); }
            };
            struct late {
                ~late() {
                    quiesce::flush_all();
                    std::fputs("flushed", stderr);
                }
            };
            static late l;
            quiesce::free_rcu(new noisy);  // the default domain, and its handler for exit, are younger than `l`
            quiesce::rcu_retire(new noisy);
            std::exit(0);
        },
        testing::ExitedWithCode(0), "freed, freed, flushed");
}

// The worker has nobody to run deleters for it but itself, and must not.
TEST(ProcessExitDeathTest, NoDeleterRunsBesideDestructorsOfStatics) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_EXIT(
        {
            struct noisy {
                ~noisy() { std::fputs("freed ", stderr); }
            };
            struct late {
                ~late() {
                    quiesce::rcu_default_domain().unlock();
                    std::this_thread::sleep_for(std::chrono::milliseconds(200));
                    std::fputs("the end", stderr);
                }
            };
            static late l;
            static quiesce::object_cache<noisy> cache(
                {.name = "noisy", .on_destroy = quiesce::destroy_strategy::async});
            noisy* const object = cache.allocate();
            quiesce::rcu_default_domain().lock();
            if (!cache.try_free_rcu(object)) {  // the form that a section may use
                std::abort();
            }
            cache.destroy();
            std::exit(0);
        },
        testing::ExitedWithCode(0), "^the end$");
}

}  // namespace
