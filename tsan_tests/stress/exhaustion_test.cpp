// Memory exhaustion as a normal case: every allocation that the core makes through its platform fails, one after the
// other, all from one on, and at random. No object may be lost, freed early or leaked.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "quiesce/basic_rcu_array.hpp"
#include "quiesce/single_thread_platform.hpp"
#include "relacy_models/scenarios/support.hpp"
#include "tsan_tests/stress/core_instantiation.hpp"

namespace {

using namespace quiesce;

/// An object of the test's own; with a head, or freed by its address.
template <class P>
struct object : basic_rcu_head<P> {
    std::atomic<unsigned>* freed = nullptr;
    std::atomic<bool> held{false};

    static void free(object* o) {
        P::check(!o->held.load(), "an object was freed while a reader held it");
        P::check(o->freed != nullptr, "an object was freed twice");
        std::exchange(o->freed, nullptr)->fetch_add(1);
    }
    static void free_head(basic_rcu_head<P>* h) { free(static_cast<object*>(h)); }
    static void free_headless(void* o) { free(static_cast<object*>(o)); }
};

std::atomic<unsigned> destructed;

cache_options options() {
    cache_options o;
    o.name = "objects";
    o.size = 8;
    o.alignment = 8;
    o.on_destroy = destroy_strategy::last_free;
    o.destruct = [](void*) { destructed.fetch_add(1); };
    return o;
}

/// One of everything that may be deferred, several times.
template <class P>
class frees {
public:
    using domain_type = basic_rcu_domain<P>;
    using cache_type = basic_cache<P>;
    using object_type = object<P>;

    static constexpr unsigned rounds = 5;

    explicit frees(domain_type& d, cache_type* c) : domain_(d), cache_(c), array_(d) {}

    void go() {
        for (unsigned i = 0; i != rounds; ++i) {
            bool in_section = false;
            attempt([&] {
                domain_.lock();
                in_section = true;
            });
            if (in_section) {
                // What is freed inside a section is held by it.
                object_type& o = mine_[i];
                o.freed = &freed_;
                o.held = true;
                if (domain_.try_free_rcu(&o, &object_type::free_headless)) {
                    ++given_;
                } else {
                    o.freed = nullptr;
                }
                o.held = false;
                domain_.unlock();
            }
            object_type& headless = mine_[rounds + i];
            headless.freed = &freed_;
            domain_.free_rcu(&headless, &object_type::free_headless);
            object_type& headed = mine_[2 * rounds + i];
            headed.freed = &freed_;
            domain_.free_rcu(static_cast<basic_rcu_head<P>*>(&headed), &object_type::free_head);
            given_ += 2;
            if (void* const o = cache_ != nullptr ? cache_->allocate() : nullptr; o != nullptr) {
                i % 2 == 0 ? cache_->free_rcu(o) : domain_.free_rcu(o);
                ++allocated_;
            }
            domain_.free_rcu(domain_.allocate_large(1));
            attempt([&] { array_.push_back(i); });
            if (i == rounds / 2) {
                domain_.shrink();
            }
            (void)domain_.monitor_step();
        }
    }

    /// Alone, when everything is drained.
    void expect_nothing_lost() const {
        EXPECT_EQ(freed_, given_);
        for (std::size_t i = 0; i != array_.size(); ++i) {
            EXPECT_TRUE(array_.get(i).has_value());
        }
    }
    unsigned allocated() const { return allocated_; }

private:
    template <class Call>
    static void attempt(Call call) {
        try {
            call();
        } catch (const std::bad_alloc&) {
            // What could not be done was not done.
        }
    }

    domain_type& domain_;
    cache_type* const cache_;
    basic_rcu_array<std::uint64_t, P> array_;
    object_type mine_[3 * rounds];
    std::atomic<unsigned> freed_{0};
    unsigned given_ = 0;
    unsigned allocated_ = 0;
};

template <class P>
class ExhaustionOver : public testing::TestWithParam<unsigned> {
protected:
    ExhaustionOver() {
        stress::current.sizes = models::model_sizes[GetParam()].sizes;
        stress::current.sizes.reserve_blocks = GetParam();
        stress::current.sizes.refill_backoff = GetParam();
        stress::current.seeded = defect::none;
        stress::current.failures = 0;
        stress::current.first_failure = nullptr;
        stress::seed_thread(1);
    }

    // Returns whether the domain could be made.
    bool run(unsigned threads, bool at_random, std::uint64_t seed) {
        destructed = 0;
        // Defects that other tests of the process seeded may have leaked.
        const std::uint64_t before = stress::allocated_blocks();
        std::optional<basic_rcu_domain<P>> domain;
        std::optional<basic_cache<P>> cache;
        try {
            domain.emplace();
            cache.emplace(*domain, options());
        } catch (const std::bad_alloc&) {
            // Without a cache, or without anything.
        }
        if (domain) {
            std::vector<std::unique_ptr<frees<P>>> work;
            for (unsigned t = 0; t != threads; ++t) {
                work.push_back(std::make_unique<frees<P>>(*domain, cache ? &*cache : nullptr));
            }
            {
                std::vector<std::jthread> running;
                for (unsigned t = 0; t != threads; ++t) {
                    running.emplace_back([&, t] {
                        stress::seed_thread(seed + t);
                        if (at_random) {
                            P::let_allocations_fail();
                        }
                        work[t]->go();
                    });
                }
            }
            failed_ = stress::let_allocations_succeed();
            models::drain(*domain);
            unsigned allocated = 0;
            for (const auto& w : work) {
                w->expect_nothing_lost();
                allocated += w->allocated();
            }
            EXPECT_EQ(destructed, allocated);
            work.clear();
            EXPECT_EQ(domain->large_blocks().blocks, 0U);
            EXPECT_EQ(domain->backlog(), 0U);
            if (cache) {
                const auto end = cache->destroy();
                models::drain(*domain);
                EXPECT_TRUE(end.poll());
            }
        } else {
            failed_ = stress::let_allocations_succeed();
        }
        cache.reset();
        domain.reset();
        EXPECT_EQ(stress::allocated_blocks(), before);
        stress::release_kept();
        EXPECT_EQ(stress::current.failures, 0U) << stress::current.first_failure;
        return !HasFailure();
    }

    void let_any_one_fail() {
        std::uint64_t n = 0;
        do {
            stress::fail_allocations_after(n++, false);
            ASSERT_TRUE(run(1, false, 1)) << "allocation " << n - 1;
        } while (failed_);
        EXPECT_GT(n, 15U);
    }

    void let_all_fail_from_any_one_on() {
        std::uint64_t n = 0;
        do {
            stress::fail_allocations_after(n++, true);
            ASSERT_TRUE(run(1, false, 1)) << "from allocation " << n - 1;
        } while (failed_);
        EXPECT_GT(n, 15U);
    }

    void let_some_fail_at_random(unsigned most_threads) {
        const char* const given = std::getenv("QUIESCE_SEED");
        const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
        std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
        for (std::uint64_t round = 0; round != 100; ++round) {
            ASSERT_TRUE(run(static_cast<unsigned>(1 + round % most_threads), true, seed + 64 * round))
                << "round " << round;
        }
    }

    bool failed_ = false;
};

using Exhaustion = ExhaustionOver<stress::stress_platform>;
using ExhaustionOneThread = ExhaustionOver<single_thread_platform<stress::stress_platform>>;

TEST_P(Exhaustion, AnyOneAllocationMayFail) {
    let_any_one_fail();
}
TEST_P(ExhaustionOneThread, AnyOneAllocationMayFail) {
    let_any_one_fail();
}

TEST_P(Exhaustion, AllAllocationsMayFailFromAnyOneOn) {
    let_all_fail_from_any_one_on();
}
TEST_P(ExhaustionOneThread, AllAllocationsMayFailFromAnyOneOn) {
    let_all_fail_from_any_one_on();
}

TEST_P(Exhaustion, AnyOneAllocationOfTwoThreadsMayFail) {
    for (std::uint64_t n = 0; n != 60; ++n) {
        stress::fail_allocations_after(n, false);
        ASSERT_TRUE(run(2, false, n)) << "allocation " << n;
    }
}

TEST_P(Exhaustion, AllocationsMayFailAtRandom) {
    let_some_fail_at_random(3);
}
TEST_P(ExhaustionOneThread, AllocationsMayFailAtRandom) {
    let_some_fail_at_random(1);
}

std::string size_name(const testing::TestParamInfo<unsigned>& size) {
    return std::string(models::model_sizes[size.param].name);
}
INSTANTIATE_TEST_SUITE_P(Sizes, Exhaustion, testing::Values(0U, 1U, 2U), size_name);
INSTANTIATE_TEST_SUITE_P(Sizes, ExhaustionOneThread, testing::Values(0U, 1U, 2U), size_name);

}  // namespace
