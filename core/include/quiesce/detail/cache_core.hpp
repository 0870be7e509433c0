// A destroyable cache: slabs, the depot of magazines, and the protocol of its end.
//
// A thread allocates and frees in magazines of its own behind its gate; the cache's lock is for exchanging magazines
// whole and for slabs. To destroy the cache its magazines are taken from every thread, for good: what is freed from
// then on goes to its slab under the lock. Under the same lock "destroyed" is set and "nothing is held" is tested, so
// exactly one call finds the cache destroyed and empty; it queues the completion to the driver and touches the cache no
// more.
//
// A thread may keep magazines for a cache only if it finds `closing_` unset inside its gate. The destroyer sets it,
// then passes a heavy fence, then reads the list of records: either it finds the record, or the thread's own fence at
// its gate comes later and the thread finds the cache closing.
//
// Source: McKenney, 2024, on kfree_rcu and kmem_cache_destroy (the three ways to end a cache); Bonwick and Adams, 2001.
#pragma once

#include <atomic>
#include <cstdint>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "quiesce/cache_options.hpp"
#include "quiesce/detail/completion.hpp"
#include "quiesce/detail/lock_hold.hpp"
#include "quiesce/detail/magazine.hpp"
#include "quiesce/detail/quarantine.hpp"
#include "quiesce/detail/slab.hpp"
#include "quiesce/detail/slab_pool.hpp"
#include "quiesce/detail/thread_arrays.hpp"
#include "quiesce/platform.hpp"
#include "quiesce/rcu_head.hpp"

namespace quiesce {

template <platform P>
class basic_rcu_domain;

namespace detail {

template <class P>
class cache_core {
public:
    /// Throws std::bad_alloc, or std::invalid_argument when the domain has a cache of that name or the options make no
    /// sense. The caller holds one reference.
    static cache_core* create(basic_rcu_domain<P>& domain, const cache_options& options);

    cache_core(const cache_core&) = delete;
    cache_core& operator=(const cache_core&) = delete;

    // Reference counting: the handle, each token, and the cache itself until it has ended.
    void acquire() { completion_.acquire(); }
    void release();

    /// Null when there is no memory, or, reported as misuse, when the cache is destroyed. `site` is kept for reports.
    void* allocate(const void* site);
    void free(void* object);
    /// Without destructing it.
    void take_back(void* object);
    void free_rcu(void* object);
    bool try_free_rcu(void* object);
    /// Frees objects whose grace period is over. They are the cache's, so it may be gone afterwards.
    void free_deferred(deferred_object<P>* first, deferred_object<P>* last);
    /// Whether an object begins at that address of the slab.
    bool has_object(const slab<P>& s, const void* address) const { return s.has(layout_, address); }
    /// Gives every slab that is not needed back.
    void shrink();
    cache_usage usage();
    const cache_options& options() const { return options_; }

    /// Once. With the strategy `wait` this also waits for what is in flight, and for the end if nothing is held.
    void destroy(destroy_strategy strategy);
    /// Waits until nothing is in flight; reports what is held then, and returns whether anything was. A worker calls it
    /// for a cache that was destroyed with `async`.
    bool settle();
    /// Waits until the cache has ended.
    void wait();
    bool wait_for(unsigned milliseconds);
    bool ended() const { return completion_.ended(); }
    /// Calls `function(context)` when the cache has ended, on the driver, or now if it has. Once for a cache.
    void on_end(void (*function)(void*), void* context) { completion_.on_end(function, context); }

    // For whoever holds a thread's gate, or is inside it.

    /// Takes over what a thread keeps; afterwards it keeps nothing.
    void take_over(cache_slot<P>& slot);

    // Around a fork.
    void before_fork() {
        lock_.lock();
        completion_.before_fork();
    }
    void after_fork() {
        completion_.after_fork();
        lock_.unlock();
    }

    /// Reports what is held of a destroyed cache; returns whether anything is.
    bool report_held();

    // The registry's.
    cache_core* next_in_registry = nullptr;
    unsigned index = 0;
    bool named = true;
    typename P::template plain<cache_core*> next{nullptr};

private:
    using record = thread_arrays<P>;
    using slot = cache_slot<P>;

    cache_core(basic_rcu_domain<P>& domain, const cache_options& options);
    ~cache_core();

    static void no_object_is_held(basic_rcu_head<P>* h);
    static void slab_grace_period_over(basic_rcu_head<P>* h);

    void* allocate_slowly(record* r);
    void give_back(void* object);
    void give_back_slowly(record* r, void* object, bool was_deferred);
    void put_back(void* object, bool was_deferred);
    void* exchange_in_quarantine(void* object, bool was_deferred);
    void end_quarantine();
    void poison(void* object);
    void expect_poison(void* object);
    bool defer_quickly(void* object);
    void count_deferred(int change);
    slot* attach(record& r);
    void load(record* r, magazine<P>* m, bool has_deferred);
    bool keep(magazine<P>* m, bool has_deferred);
    magazine<P>* empty_magazine();
    bool add_slab();
    void destroy_slab(slab<P>* s);
    void give_up(slab_list<P>& surplus);
    void trim(unsigned slabs_to_keep);

    // Under the lock.
    unsigned quarantined() const { return quarantine_.has_value() ? quarantine_->size() : 0; }
    void keep_locked(magazine<P>* m);
    void empty_depot();
    void put_one(const void* object) { slabs_.put(slab<P>::of(object), layout_, object); }
    bool found_ended();

    bool note_use(void* object, object_use from, object_use to, misuse otherwise, std::string_view call);
    void destruct(void* object) {
        if (options_.destruct != nullptr && !options_.type_stable) {
            options_.destruct(object);
        }
    }
    bool owns(void* object, std::string_view call);
    void complete();
    void finish();

    basic_rcu_domain<P>& domain_;
    std::string name_;
    cache_options options_;
    const slab_layout layout_;
    /// Objects in a magazine.
    const unsigned capacity_;

    /// Set before the magazines are taken for good; from the beginning where freed objects are quarantined.
    typename P::template atomic<std::uint32_t> closing_;
    completion<P> completion_{2};

    typename P::mutex lock_;
    // All under the lock.
    slab_pool<P, cache_core> slabs_;
    std::optional<quarantine<P>> quarantine_;
    magazine_list<P> filled_;
    unsigned filled_count_ = 0;
    magazine_list<P> empties_;
    unsigned empties_count_ = 0;
    /// What threads counted that keep nothing for the cache any more.
    std::uint64_t deferred_ = 0;
    std::uint64_t returned_ = 0;
    bool destroyed_ = false;
    bool completing_ = false;
    /// Slabs of a type-stable cache that wait for their grace period, and whether only they are waited for.
    unsigned slabs_in_grace_ = 0;
    bool completed_but_for_slabs_ = false;

    struct alignas(64) end_callback : basic_rcu_head<P> {
        cache_core* owner = nullptr;
    };
    end_callback end_callback_;
};

}  // namespace detail
}  // namespace quiesce
