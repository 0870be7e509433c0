// A producer over the backlog's limit is slowed down while it holds a lock that a deleter needs, and a deleter itself
// defers objects over the limit: the first waits for a limited time only, the other not at all.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct throttling_waits_for_no_deleter {
    static constexpr defect_info defects[] = {
        {defect::throttled_without_limit, "throttled_without_limit", "", "deadlock",
         "Linux, kernel/rcu/tree.c, on throttling of callbacks",
         "a producer over the limit waits for as long as it takes"},
        {defect::throttled_in_callback, "throttled_in_callback", "", "deadlock",
         "Linux, kernel/rcu/tree.c, on throttling of callbacks", "a deleter over the limit waits for the driver"},
    };
    static constexpr std::string_view must_reach[] = {"a producer was slowed down", "a deleter went over the limit"};
    static constexpr scenario_info info{
        "throttling_waits_for_no_deleter",
        "a producer over the limit returns, whatever the deleters need, and a deleter does",
        "C7",
        2,
        defects,
        must_reach,
        false,
        0,
        {},
        true};

    static constexpr unsigned most = 3;
    // Enough that a full block is handed over.
    const unsigned objects = P::limits().free_block_entries + 1;

    basic_rcu_domain<P> domain;
    typename P::mutex lock;
    signal<P> begun;

    struct item : noted_callback<P> {
        throttling_waits_for_no_deleter* owner = nullptr;
        unsigned number = 0;
    };
    // The producer's, then those that the deleter of its first object defers.
    item object[2 * most];

    throttling_waits_for_no_deleter() {
        domain.limit_backlog({.hurry_at = smallest<P>() ? 0U : 1U, .throttle_at = 1, .throttle_ms = 1});
        for (unsigned n = 0; n != 2 * objects; ++n) {
            object[n].owner = this;
            object[n].number = n;
        }
    }

    void defer_from(unsigned first) {
        for (unsigned n = first; n != first + objects; ++n) {
            domain.free_rcu(&object[n], &free_item);
            if (n == 0) {
                begun.give();
            }
        }
    }

    static void free_item(void* p) {
        auto* const o = static_cast<item*>(p);
        {
            const detail::lock_hold hold(o->owner->lock);
            o->note();
        }
        if (o->number == 0) {
            o->owner->defer_from(o->owner->objects);
            P::reached("a deleter went over the limit");
        }
    }

    void thread(unsigned i) {
        if (i == 0) {
            const detail::lock_hold hold(lock);
            defer_from(0);
            P::reached("a producer was slowed down");
            return;
        }
        if (smallest<P>()) {
            begun.await();
        }
        drive_frees(domain, [this] { return all_freed(); });
    }

    bool all_freed() {
        for (unsigned n = 0; n != 2 * objects; ++n) {
            if (object[n].ran.get() != 1) {
                return false;
            }
        }
        return true;
    }

    void finish() {}
};

}  // namespace quiesce::models
