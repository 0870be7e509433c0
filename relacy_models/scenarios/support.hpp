// What several scenarios need: objects with a canary, and a driver's loop.
#pragma once

#include <atomic>
#include <cstdint>
#include <new>

#include "quiesce/rcu_domain.hpp"
#include "relacy_models/scenario.hpp"

namespace quiesce::models {

/// An object under RCU. Readers read the canary and reclaim writes it, so that every engine sees a read that is not
/// ordered with the free, also when the memory is used again.
template <class P>
struct object : basic_rcu_head<P> {
    static constexpr std::uint32_t alive = 0xa11fe;
    static constexpr std::uint32_t dead = 0xdead;

    typename P::template plain<std::uint32_t> canary{alive};
    typename P::template plain<std::uint32_t> value{0};

    static object* create(std::uint32_t value) {
        auto* const o = ::new (P::allocate(sizeof(object), alignof(object))) object();
        o->value.set(value);
        P::name(o->canary, "object.canary");
        P::name(o->value, "object.value");
        return o;
    }
    static void destroy(object* o) {
        o->canary.set(dead);
        o->~object();
        P::deallocate(o, sizeof(object), alignof(object));
    }
    void read() { P::check(canary.get() == alive, "a reader found a freed object"); }
};

/// A callback that notes that it ran. Callbacks of a scenario run on one thread at a time, its driver.
template <class P>
struct noted_callback : basic_rcu_head<P> {
    typename P::template plain<unsigned> ran{0};

    static void run(basic_rcu_head<P>* h) { static_cast<noted_callback*>(h)->ran.set(1); }
};

/// What a domain's driver does, until `finished` says so after a step.
template <class P, class Finished>
void drive(basic_rcu_domain<P>& domain, Finished finished) {
    while (!finished()) {
        const std::uint64_t epoch = domain.work_epoch();
        const step_result step = domain.advance_grace_period();
        const bool ran = domain.reclaim_step() != 0;
        if (finished()) {
            return;
        }
        if (step == step_result::waiting_for_readers) {
            domain.wait_for_readers(0);
        } else if (step != step_result::completed && !ran) {
            domain.wait_for_work(epoch, 0);
        }
    }
}

}  // namespace quiesce::models
