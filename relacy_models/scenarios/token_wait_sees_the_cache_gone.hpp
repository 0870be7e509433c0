// A thread waits for the end of a cache whose objects the driver destructs.
#pragma once

#include "quiesce/basic_cache.hpp"
#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct token_wait_sees_the_cache_gone {
    static constexpr defect_info defects[] = {
        {defect::end_published_relaxed, "end_published_relaxed", "", "data_race", "C++20, [atomics.order]",
         "the end of a cache is published with a relaxed store"},
        {defect::reference_given_up_relaxed, "reference_given_up_relaxed", "", "use_after_free data_race",
         "C++20, [atomics.order]", "a reference to a cache is given up with a relaxed read-modify-write", "1 2 asym",
         "explorer"},
    };
    static constexpr std::string_view must_reach[] = {"the cache ended"};
    static constexpr scenario_info info{"token_wait_sees_the_cache_gone",
                                        "all that was done to end a cache happens before the wait for its end returns",
                                        "C4",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        1,
                                        {},
                                        false,
                                        true};

    basic_rcu_domain<P> domain;
    typename P::template plain<unsigned> destructed{0};
    departures<P> over;

    /// Counts in its scenario when it is destructed.
    struct counted {
        token_wait_sees_the_cache_gone* owner = nullptr;

        static void construct(void* memory) { ::new (memory) counted(); }
        static void destruct(void* object) {
            if (auto* const self = static_cast<counted*>(object)->owner; self != nullptr) {
                self->destructed.set(self->destructed.get() + 1);
            }
        }
    };

    void thread(unsigned i) {
        if (i == 0) {
            cache_options options = cache_named("objects", destroy_strategy::last_free);
            options.size = sizeof(counted);
            options.alignment = alignof(counted);
            // So that the destructor runs at the very end.
            options.type_stable = true;
            options.construct = &counted::construct;
            options.destruct = &counted::destruct;
            basic_cache<P> cache(domain, options);
            auto* const object = static_cast<counted*>(cache.allocate());
            object->owner = this;
            cache.free(object);
            cache.destroy().wait();
            P::check(destructed.get() == 1, "the cache ended before its object was destructed");
            P::reached("the cache ended");
            over.leave(domain);
            return;
        }
        drive(domain, over.all(1));
    }

    void finish() {}
};

}  // namespace quiesce::models
