// What the scenarios of staged caches share: two domains, a cache, and objects that tell when they are returned.
#pragma once

#include <atomic>
#include <cstdint>
#include <new>
#include <optional>

#include "quiesce/basic_staged_cache.hpp"
#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

/// An object of a staged cache. Readers read its canary, and its destructor, which runs when it is returned, writes it.
template <class P>
struct staged_object {
    static constexpr std::uint32_t alive = 0xa11fe;
    static constexpr std::uint32_t dead = 0xdead;

    typename P::template plain<std::uint32_t> canary{alive};
    typename P::template plain<unsigned>* returned = nullptr;

    static void destruct(void* memory) {
        auto* const self = static_cast<staged_object*>(memory);
        self->canary.set(dead);
        self->returned->set(self->returned->get() + 1);
        self->~staged_object();
    }
    void read() { P::check(canary.get() == alive, "a reader found an object that was returned"); }
};

/// Two domains and a staged cache. The steps of both domains' drivers, and of the first one's worker, are played.
template <class P>
struct staged_setting {
    using object = staged_object<P>;

    explicit staged_setting(staged_destroy how) : cache(std::in_place, first, tasks, options(how)) {}

    basic_rcu_domain<P> first;
    basic_rcu_domain<P> tasks;
    std::optional<basic_staged_cache<P>> cache;
    /// Of each object, by whoever returns it.
    struct count {
        typename P::template plain<unsigned> returned{0};
    };
    count counts[2];

    static staged_cache_options options(staged_destroy how) {
        staged_cache_options o;
        o.name = "objects";
        o.size = sizeof(object);
        o.alignment = alignof(object);
        o.on_destroy = how;
        o.destruct = &object::destruct;
        return o;
    }

    /// A new object; what it made the worker's task is done.
    object* make(unsigned i) {
        auto* const o = ::new (cache->allocate()) object();
        o->returned = &counts[i].returned;
        P::name(o->canary, "object.canary");
        P::name(o, "object");
        while (first.settle_step()) {
        }
        return o;
    }

    /// Gives an object to free_rcu on another shard than its own, where there is one.
    void free_elsewhere(object* o) {
        P::move_to_shard(1);
        cache->free_rcu(o);
        P::move_to_shard(0);
    }

    /// An object on its way through the second stage: its callback there is queued.
    void put_in_second_stage(object* o) {
        free_elsewhere(o);
        run_callbacks(first);
    }

    bool returned(unsigned i) { return counts[i].returned.get() == 1; }

    /// Everything that is left to do, alone.
    void settle() {
        do {
            run_callbacks(first);
            run_callbacks(tasks);
        } while (first.settle_step());
    }

    /// After `destroy`, when all threads have ended.
    void check_ended(unsigned objects) {
        settle();
        P::check(cache->destroy().poll(), "the cache did not end");
        for (unsigned i = 0; i != objects; ++i) {
            P::check(returned(i), "an object was not returned exactly once");
        }
    }
};

inline constexpr std::string_view found_in_flight = "destroy found something in flight";
inline constexpr std::string_view ended_at_once = "the cache ended in destroy";

/// Destroys the cache of a setting, and says what came of it.
template <class P>
void destroy_staged(staged_setting<P>& setting) {
    P::reached(setting.cache->destroy().poll() ? ended_at_once : found_in_flight);
}

/// A thread destroys the cache while another one takes a step of one domain's driver, which runs the callback that the
/// scenario's set-up has queued.
template <class P>
struct staged_destroy_meets_a_callback : staged_setting<P> {
    staged_destroy_meets_a_callback(staged_destroy how, basic_rcu_domain<P> staged_setting<P>::*stepped)
        : staged_setting<P>(how), steps_of(this->*stepped) {}

    basic_rcu_domain<P>& steps_of;

    void thread(unsigned i) {
        if (i == 0) {
            destroy_staged(*this);
        } else {
            (void)steps_of.reclaim_step();
        }
    }
};

/// A thread reads an object in a section of one of the two domains while another one takes it out of reach, gives it to
/// free_rcu and drives both stages.
template <class P>
struct staged_object_meets_a_reader : staged_setting<P> {
    using object = staged_object<P>;

    explicit staged_object_meets_a_reader(basic_rcu_domain<P> staged_setting<P>::*readers)
        : staged_setting<P>(staged_destroy::draining), read_in(this->*readers) {
        P::name(current, "current");
        current.store(this->make(0), std::memory_order_relaxed);
    }

    basic_rcu_domain<P>& read_in;
    typename P::template atomic<object*> current{nullptr};

    void thread(unsigned i) {
        if (i == 0) {
            read_in.lock();
            if (object* const o = current.load(std::memory_order_acquire); o != nullptr) {
                P::reached(reader_found_it);
                o->read();
            }
            read_in.unlock();
            return;
        }
        object* const o = current.load(std::memory_order_relaxed);
        current.store(nullptr, std::memory_order_relaxed);
        this->free_elsewhere(o);
        // With a stage missing there is no callback to wait for.
        drive_until_idle(this->first);
        drive_until_idle(this->tasks);
    }

    void finish() {
        P::check(this->returned(0), "an object was not returned exactly once");
        (void)this->cache->destroy();
        this->check_ended(1);
    }

    static constexpr std::string_view reader_found_it = "a reader found the object";

private:
    static void drive_until_idle(basic_rcu_domain<P>& domain) {
        for (;;) {
            const step_result step = domain.advance_grace_period();
            if (step == step_result::waiting_for_readers) {
                domain.wait_for_readers(0);
            } else if (domain.reclaim_step() == 0 && step == step_result::idle) {
                return;
            }
        }
    }
};

}  // namespace quiesce::models
