// No memory can be had for a block, so free_rcu waits for a grace period in its caller; a reader frees an object with
// an embedded head inside its section, on the same shard, meanwhile.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct free_without_memory_holds_no_lock {
    static constexpr defect_info defects[] = {
        {defect::inline_wait_under_shard_lock, "inline_wait_under_shard_lock", "D07", "deadlock",
         "Rezki, 2020, on headless kvfree_rcu, an early version",
         "free_rcu waits for its grace period while it holds the shard's lock", "1 asym"},
    };
    static constexpr std::string_view must_reach[] = {"free_rcu waited in its caller"};
    static constexpr scenario_info info{
        "free_without_memory_holds_no_lock",
        "without memory free_rcu waits for a grace period, holding nothing that a reader may need",
        "C6",
        2,
        defects,
        must_reach,
        false,
        1,
        {},
        false,
        true};

    using item = object<P>;

    basic_rcu_domain<P> domain;
    noted_callback<P> inside;
    typename P::template atomic<item*> current{item::create(1)};
    // Set in the thread that calls free_rcu, so that the free knows whether it is inside the call.
    typename P::template thread_slot<free_without_memory_holds_no_lock> caller{this, nullptr};

    struct target {
        item* what = nullptr;
        free_without_memory_holds_no_lock* owner = nullptr;
    };
    target unlinked;

    static void free_target(void* t) {
        auto* const self = static_cast<target*>(t);
        if (self->owner->caller.get() != nullptr) {
            P::reached("free_rcu waited in its caller");
        }
        item::destroy(self->what);
        self->what = nullptr;
    }

    void thread(unsigned i) {
        if (i == 0) {
            (void)caller.set(this);
            unlinked.what = current.exchange(nullptr, std::memory_order_acq_rel);
            unlinked.owner = this;
            P::let_allocations_fail();
            domain.free_rcu(&unlinked, &free_target);
            (void)caller.set(nullptr);
            return;
        }
        domain.lock();
        item* const o = current.load(std::memory_order_acquire);
        domain.free_rcu(static_cast<basic_rcu_head<P>*>(&inside), &noted_callback<P>::run);
        if (o != nullptr) {
            o->read();
        }
        domain.unlock();
    }

    void finish() {
        drain(domain);
        P::check(inside.ran.get() == 1, "the reader's object was not freed exactly once");
        P::check(unlinked.what == nullptr, "the object was not freed");
    }
};

}  // namespace quiesce::models
