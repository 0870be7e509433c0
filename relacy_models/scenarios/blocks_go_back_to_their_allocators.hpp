// An object of a cache and a large block, told apart by their addresses, are freed by one thread.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct blocks_go_back_to_their_allocators {
    static constexpr defect_info defects[] = {
        {defect::channels_share_blocks, "channels_share_blocks", "D08", "assertion",
         "Rezki, 2020, on headless kvfree_rcu, where slab and vmalloc pointers get two arrays",
         "objects of caches and large blocks share blocks, each of which one allocator frees"},
    };
    static constexpr std::string_view must_reach[] = {"both waited for one grace period"};
    static constexpr scenario_info info{
        "blocks_go_back_to_their_allocators",
        "what is freed by its address goes back, once, to the allocator that it came from",
        "C6",
        2,
        defects,
        must_reach,
        false,
        0};

    static cache_options found_by_address() {
        cache_options o = cache_named("objects", destroy_strategy::last_free);
        o.by_address = true;
        return o;
    }

    basic_rcu_domain<P> domain;
    basic_cache<P> cache{domain, found_by_address()};
    void* object = cache.allocate();
    void* block = domain.allocate_large(1);
    signal<P> deferred;

    void thread(unsigned i) {
        if (i == 0) {
            domain.free_rcu(block);
            domain.free_rcu(object);
            deferred.give();
            return;
        }
        deferred.await();
        (void)domain.monitor_step();
        (void)domain.advance_grace_period();
        if (domain.free_step() == 1) {
            P::reached(must_reach[0]);
        }
    }

    void finish() {
        drain(domain);
        P::check(domain.large_blocks().blocks == 0, "the large block was not freed");
        const cache_usage left = cache.usage();
        P::check(left.in_use == 0 && left.in_flight == 0, "the object was not freed into its cache");
        const auto end = cache.destroy();
        drain(domain);
        P::check(end.poll(), "the cache did not end");
    }
};

}  // namespace quiesce::models
