// A reader finds an object of a type-stable cache, locks it and checks that it is the one it wanted, while it is freed,
// and allocated again as another.
#pragma once

#include "quiesce/basic_cache.hpp"
#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct type_stable_objects_stay_lockable {
    static constexpr defect_info defects[] = {
        {defect::identity_not_checked, "identity_not_checked", "D14", "assertion",
         "Linux, include/linux/slab.h, on SLAB_TYPESAFE_BY_RCU",
         "the reader does not check that the object it locked is the one it wanted"},
    };
    static constexpr std::string_view must_reach[] = {"the reader locked the object"};
    static constexpr scenario_info info{"type_stable_objects_stay_lockable",
                                        "a reader may lock an object that it found, and sees whether it is its own",
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

    static constexpr unsigned wanted = 1;

    basic_rcu_domain<P> domain;
    basic_cache<P> cache{domain, item::cache()};
    typename P::template atomic<item*> current{nullptr};

    type_stable_objects_stay_lockable() {
        P::name(current, "current");
        current.store(allocate(wanted), std::memory_order_relaxed);
    }

    item* allocate(unsigned key) {
        auto* const i = static_cast<item*>(cache.allocate());
        const detail::lock_hold hold(i->lock);
        i->key.set(key);
        return i;
    }

    void release(item* i) {
        {
            const detail::lock_hold hold(i->lock);
            i->key.set(0);
        }
        cache.free(i);
    }

    void thread(unsigned i) {
        if (i == 0) {
            domain.lock();
            if (item* const found = current.load(std::memory_order_acquire); found != nullptr) {
                const detail::lock_hold hold(found->lock);
                const unsigned key = found->key.get();
                if (key == wanted || P::seeded(defect::identity_not_checked)) {
                    P::reached("the reader locked the object");
                    P::check(key == wanted, "the reader took another object for its own");
                }
            }
            domain.unlock();
            return;
        }
        release(current.exchange(nullptr, std::memory_order_acq_rel));
        release(allocate(wanted + 1));
    }

    void finish() {
        (void)cache.destroy();
        drain(domain);
    }
};

}  // namespace quiesce::models
