// A reader finds an object of a type-stable cache and locks it, while it is freed and its slab given up.
#pragma once

#include "quiesce/basic_cache.hpp"
#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct type_stable_slab_outlives_readers {
    static constexpr defect_info defects[] = {
        {defect::slab_released_without_grace_period, "slab_released_without_grace_period", "D15",
         "use_after_free misuse_of_primitive data_race", "Linux, mm/slub.c, free_slab",
         "a slab of a type-stable cache is released without a grace period"},
    };
    static constexpr std::string_view must_reach[] = {"the reader locked the object"};
    static constexpr scenario_info info{
        "type_stable_slab_outlives_readers",
        "the memory of a type-stable object stays an object of its type while a reader may have found it",
        "C5",
        2,
        defects,
        must_reach,
        false,
        1,
        {},
        false,
        true};

    using item = lockable<P>;

    basic_rcu_domain<P> domain;
    basic_cache<P> cache{domain, item::cache()};
    typename P::template atomic<item*> current{nullptr};

    type_stable_slab_outlives_readers() {
        P::name(current, "current");
        current.store(static_cast<item*>(cache.allocate()), std::memory_order_relaxed);
    }

    void thread(unsigned i) {
        if (i == 0) {
            domain.lock();
            if (item* const found = current.load(std::memory_order_acquire); found != nullptr) {
                P::reached("the reader locked the object");
                const detail::lock_hold hold(found->lock);
            }
            domain.unlock();
            return;
        }
        cache.free(current.exchange(nullptr, std::memory_order_acq_rel));
        cache.shrink();
    }

    void finish() {
        (void)cache.destroy();
        drain(domain);
    }
};

}  // namespace quiesce::models
