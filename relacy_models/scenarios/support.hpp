// What several scenarios need: objects with a canary, and a driver's loop.
#pragma once

#include <atomic>
#include <cstdint>
#include <new>

#include "quiesce/basic_cache.hpp"
#include "quiesce/rcu_domain.hpp"
#include "relacy_models/scenario.hpp"

namespace quiesce::models {

/// Whether this is the smallest of the sizes, at which an exhaustive search comes to its end in seconds. There the
/// threads of a large scenario take turns in what others are about.
template <class P>
bool smallest() {
    return P::limits().shards == 1;
}

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
    /// `destroy` in the forms that `free_rcu` takes.
    static void free_headless(void* o) { destroy(static_cast<object*>(o)); }
    static void free_head(basic_rcu_head<P>* h) { destroy(static_cast<object*>(h)); }
    static void destroy(object* o) {
        o->canary.set(dead);
        o->~object();
        P::deallocate(o, sizeof(object), alignof(object));
    }
    void read() { P::check(canary.get() == alive, "a reader found a freed object"); }
};

/// Reads the object that is published in `current`, if there is one, in a section of its own.
template <class P>
void read_in_section(basic_rcu_domain<P>& domain, typename P::template atomic<object<P>*>& current,
                     std::string_view when_found = {}) {
    domain.lock();
    if (object<P>* const o = current.load(std::memory_order_acquire); o != nullptr) {
        if (!when_found.empty()) {
            P::reached(when_found);
        }
        o->read();
    }
    domain.unlock();
}

/// A callback, or a deferred free, that notes that it ran. One thread at a time runs them, the driver.
template <class P>
struct noted_callback : basic_rcu_head<P> {
    typename P::template plain<unsigned> ran{0};

    void note() { ran.set(ran.get() + 1); }
    static void run(basic_rcu_head<P>* h) { static_cast<noted_callback*>(h)->note(); }
    static void run_headless(void* self) { static_cast<noted_callback*>(self)->note(); }
};

/// What a driver does, until `finished` says so after a step. `take_steps(advanced)` returns whether it did anything.
template <class P, class Steps, class Finished>
void drive_steps(basic_rcu_domain<P>& domain, Steps take_steps, Finished finished) {
    for (;;) {
        const std::uint64_t epoch = domain.work_epoch();
        step_result step{};
        const bool did = take_steps(step);
        if (finished()) {
            return;
        }
        if (step == step_result::waiting_for_readers) {
            domain.wait_for_readers(0);
        } else if (step != step_result::completed && !did) {
            domain.wait_for_work(epoch, 0);
        }
    }
}

/// The part of a domain's driver that serves callbacks.
template <class P, class Finished>
void drive(basic_rcu_domain<P>& domain, Finished finished) {
    drive_steps(
        domain,
        [&domain](step_result& step) {
            step = domain.advance_grace_period();
            return domain.reclaim_step() != 0;
        },
        finished);
}

/// The part that serves deferred frees.
template <class P, class Finished>
void drive_frees(basic_rcu_domain<P>& domain, Finished finished) {
    drive_steps(
        domain,
        [&domain](step_result& step) {
            const bool moved = domain.monitor_step();
            step = domain.advance_grace_period();
            return domain.free_step() != 0 || moved;
        },
        finished);
}

/// Runs the callbacks that are queued, and what is queued behind them meanwhile. Nobody else takes steps.
template <class P>
void run_callbacks(basic_rcu_domain<P>& domain) {
    while (domain.advance_grace_period() != step_result::idle || domain.reclaim_step() != 0) {
    }
}

/// What one thread waits for and another says once.
template <class P>
class signal {
public:
    void give() {
        given_.store(1, std::memory_order_release);
        P::wake(given_);
    }
    void await() {
        P::await(
            given_, [](unsigned given) { return given != 0; }, std::memory_order_acquire);
    }

private:
    typename P::template atomic<unsigned> given_{0};
};

/// How the other threads tell the one that plays the driver that they are done.
template <class P>
class departures {
public:
    void leave(basic_rcu_domain<P>& domain) {
        gone_.fetch_add(1, std::memory_order_release);
        domain.announce_work();
    }
    auto all(unsigned threads) {
        return [this, threads] { return gone_.load(std::memory_order_acquire) == threads; };
    }

private:
    typename P::template atomic<unsigned> gone_{0};
};

/// Both, until so many callbacks have run.
template <class P>
void drive_all(basic_rcu_domain<P>& domain, unsigned callbacks) {
    unsigned ran = 0;
    drive_steps(
        domain,
        [&](step_result& step) {
            bool did = domain.monitor_step();
            step = domain.advance_grace_period();
            did |= domain.free_step() != 0;
            const unsigned now = domain.reclaim_step();
            ran += now;
            return now != 0 || did;
        },
        [&] { return ran == callbacks; });
}

/// The part that serves callbacks, until so many have run.
template <class P>
void drive_callbacks(basic_rcu_domain<P>& domain, unsigned callbacks) {
    unsigned ran = 0;
    drive_steps(
        domain,
        [&](step_result& step) {
            step = domain.advance_grace_period();
            const unsigned now = domain.reclaim_step();
            ran += now;
            return now != 0;
        },
        [&] { return ran == callbacks; });
}

/// Frees everything that is deferred and runs every callback; nobody else uses the domain.
template <class P>
void drain(basic_rcu_domain<P>& domain) {
    while (domain.monitor_step() || domain.advance_grace_period() != step_result::idle || domain.free_step() != 0 ||
           domain.reclaim_step() != 0) {
    }
}

/// Some writers wait for a grace period while a reader may be in sections, one after the other.
template <class P, unsigned writers, unsigned sections>
struct writers_wait_for_a_reader {
    basic_rcu_domain<P> domain;
    // Only for the label.
    struct flag {
        typename P::template atomic<std::uint32_t> set{0};
    };
    flag came[writers];
    signal<P> in_section;
    std::uint64_t cookie = 0;

    void thread(unsigned i) {
        if (i != 0) {
            came[i - 1].set.store(1, std::memory_order_relaxed);
            if (smallest<P>()) {
                in_section.await();
                if (sections > 1 && i == writers) {
                    (void)domain.advance_grace_period();
                } else {
                    domain.wait(cookie);
                }
            } else {
                domain.synchronize();
            }
            return;
        }
        for (unsigned n = 0; n != sections; ++n) {
            domain.lock();
            if (smallest<P>() && n == 0) {
                // All wait for one grace period, which has begun.
                cookie = domain.start_poll();
                (void)domain.advance_grace_period();
                in_section.give();
            }
            if (n == 0 && all_came()) {
                P::reached(all_waited);
            }
            domain.unlock();
        }
    }

    bool all_came() {
        for (flag& f : came) {
            if (f.set.load(std::memory_order_relaxed) == 0) {
                return false;
            }
        }
        return true;
    }

    void finish() {}

    static constexpr std::string_view all_waited = "all writers waited while a section was open";
};

/// A cache of small objects without constructors, which is not found by an object's address: to enter each slab in the
/// domain's table multiplies what an exhaustive search goes through.
inline cache_options cache_named(std::string_view name, destroy_strategy on_destroy) {
    cache_options o;
    o.name = name;
    o.size = 8;
    o.alignment = 8;
    o.on_destroy = on_destroy;
    o.by_address = false;
    return o;
}

/// A cache with one object, which one thread has given to free_rcu and another, the driver, frees.
template <class P>
struct object_in_flight {
    explicit object_in_flight(destroy_strategy on_destroy) : cache{domain, cache_named("objects", on_destroy)} {}

    basic_rcu_domain<P> domain;
    basic_cache<P> cache;
    signal<P> deferred;
    signal<P> in_batch;

    void defer() {
        cache.free_rcu(cache.allocate());
        deferred.give();
        if (smallest<P>()) {
            in_batch.await();
        }
    }

    /// Until the cache has ended.
    void serve() {
        if (!smallest<P>()) {
            drive_all(domain, 1);
            return;
        }
        // A driver that goes no further before somebody asks for it.
        deferred.await();
        (void)domain.monitor_step();
        (void)domain.advance_grace_period();
        const std::uint64_t epoch = domain.work_epoch();
        in_batch.give();
        domain.wait_for_work(epoch, 0);
        (void)domain.free_step();
        drive_callbacks(domain, 1);
    }
};

/// An object of a type-stable cache, that may be locked whenever it is found.
template <class P>
struct lockable {
    typename P::mutex lock;
    typename P::template plain<unsigned> key{0};

    static void construct(void* memory) { ::new (memory) lockable(); }
    static void destruct(void* object) { static_cast<lockable*>(object)->~lockable(); }

    static cache_options cache() {
        cache_options o = cache_named("items", destroy_strategy::last_free);
        o.size = sizeof(lockable);
        o.alignment = alignof(lockable);
        o.type_stable = true;
        o.construct = &construct;
        o.destruct = &destruct;
        return o;
    }
};

}  // namespace quiesce::models
