// A reader finds an object of a type-stable cache and holds its lock, while it is freed and allocated again.
#pragma once

#include "quiesce/basic_cache.hpp"
#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct type_stable_objects_are_constructed_once {
    static constexpr defect_info defects[] = {
        {defect::type_stable_object_constructed_again, "type_stable_object_constructed_again", "D17",
         "data_race misuse_of_primitive use_after_free assertion",
         "Linux, include/linux/slab.h, on SLAB_TYPESAFE_BY_RCU",
         "an object is destructed and constructed anew when it is allocated, as one of any other cache"},
    };
    static constexpr std::string_view must_reach[] = {"the same object was allocated again"};
    static constexpr scenario_info info{"type_stable_objects_are_constructed_once",
                                        "a type-stable object is not constructed when it is allocated again",
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
    signal<P> locked;

    type_stable_objects_are_constructed_once() {
        P::name(current, "current");
        current.store(static_cast<item*>(cache.allocate()), std::memory_order_relaxed);
    }

    void thread(unsigned i) {
        if (i == 0) {
            domain.lock();
            {
                item* const found = current.load(std::memory_order_acquire);
                const detail::lock_hold hold(found->lock);
                locked.give();
                found->key.set(1);
                P::check(found->key.get() == 1, "somebody wrote to an object that its reader had locked");
            }
            domain.unlock();
            return;
        }
        locked.await();
        item* const old = current.exchange(nullptr, std::memory_order_acq_rel);
        cache.free(old);
        void* const again = cache.allocate();
        if (again == old) {
            P::reached("the same object was allocated again");
        }
        cache.free(again);
    }

    void finish() {
        (void)cache.destroy();
        drain(domain);
    }
};

}  // namespace quiesce::models
