// A domain for one thread frees an object of a cache, a large block and an object with a head, and every allocation of
// that may fail. Another thread goes on with the domain when the first is through.
#pragma once

#include "quiesce/single_thread_platform.hpp"
#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct single_thread_frees_to_each_allocator {
    static constexpr defect_info defects[] = {
        {defect::single_thread_frees_all_as_small, "single_thread_frees_all_as_small", "D09", "assertion",
         "Ts'o, 2020, on headless kvfree_rcu, of rcu_reclaim_tiny in the variant for one CPU",
         "an object whose address no block holds is freed by the allocator of small objects, whatever it is"},
        {defect::publish_relaxed, "publish_relaxed", "", "data_race", "the contract of the domain",
         "the domain goes to another thread by a flag that orders nothing"},
    };
    static constexpr std::string_view must_reach[] = {"the large block was freed in the call",
                                                      "all waited in a section", "a free was refused in a section",
                                                      "all waited for the quiescent point"};
    static constexpr scenario_info info{
        "single_thread_frees_to_each_allocator",
        "in a domain of one thread each object goes back to its own allocator, once, and not before a quiescent point",
        "C1 C6",
        2,
        defects,
        must_reach,
        false,
        0};

    using one = single_thread_platform<P>;

    static cache_options found_by_address() {
        cache_options o = cache_named("objects", destroy_strategy::last_free);
        o.by_address = true;
        return o;
    }

    basic_rcu_domain<one> domain;
    basic_cache<one> cache{domain, found_by_address()};
    void* small = cache.allocate();
    void* large = domain.allocate_large(1);
    noted_callback<one> headed;
    /// What is still to be given away.
    bool small_kept = true;
    bool large_kept = true;
    typename P::template atomic<unsigned> handed_over{0};

    single_thread_frees_to_each_allocator() {
        // The first section takes memory, which is not what may be missing here.
        domain.lock();
        domain.unlock();
    }

    bool small_is_out() {
        const cache_usage u = cache.usage();
        return u.in_use + u.in_flight == 1;
    }
    bool large_is_out() { return domain.large_blocks().blocks == 1; }

    void thread(unsigned i) {
        if (i != 0) {
            P::await(
                handed_over, [](unsigned given) { return given != 0; }, std::memory_order_acquire);
            go_on();
            return;
        }
        P::let_allocations_fail();
        if (P::choose(2) == 0) {
            free_outside();
        } else {
            free_in_section();
        }
        handed_over.store(1,
                          P::seeded(defect::publish_relaxed) ? std::memory_order_relaxed : std::memory_order_release);
        P::wake(handed_over);
    }

    // Nested, so that the inner section's end lets nothing go.
    void free_in_section() {
        domain.lock();
        domain.lock();
        large_kept = !domain.try_free_rcu(large);
        small_kept = !domain.try_free_rcu(small);
        domain.free_rcu(&headed, &noted_callback<one>::run);
        domain.unlock();
        P::check(small_is_out() && large_is_out() && headed.ran.get() == 0, "an object was freed inside a section");
        P::reached(must_reach[small_kept || large_kept ? 2 : 1]);
        domain.unlock();
        P::check(small_is_out() && large_is_out() && headed.ran.get() == 0,
                 "an object was freed without a quiescent point");
    }

    void free_outside() {
        domain.free_rcu(&headed, &noted_callback<one>::run);
        give_the_rest();
        P::check(headed.ran.get() == 0, "a deleter ran in the call that deferred");
        P::reached(must_reach[large_is_out() ? 3 : 0]);
    }

    // The calling thread is in no section, so a free that finds no memory is at a quiescent point itself.
    void give_the_rest() {
        if (large_kept) {
            domain.free_rcu(large);
            large_kept = false;
        }
        if (small_kept) {
            domain.free_rcu(small);
            small_kept = false;
        }
    }

    void go_on() {
        give_the_rest();
        domain.quiescent_point();
        P::check(!small_is_out() && !large_is_out() && headed.ran.get() == 1,
                 "the quiescent point left an object that was deferred before it");
    }

    void finish() {
        const auto end = cache.destroy();
        domain.quiescent_point();
        P::check(end.poll(), "the cache did not end");
    }
};

}  // namespace quiesce::models
