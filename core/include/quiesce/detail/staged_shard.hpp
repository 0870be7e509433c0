// One shard of a staged cache: the objects that may be used at once, the slabs that the shard's objects live in, and
// the two stages that lead back to them.
//
// An object belongs to the shard whose slab it lies in, which its address tells. It may be freed on another shard, and
// handed out there again; from the second stage on it is in its own shard's lists.
//
// Invariants, under the lock:
// [S4] `available_count_` objects are in `available_`, none of them alive. (Asserted in `staged_core::release_memory`.)
// [S5] Every object of the second stage, and of the slabs, is of this shard. (Asserted in `put_back`.)
#pragma once

#include <cstdint>
#include <new>

#include "quiesce/detail/lock_hold.hpp"
#include "quiesce/detail/slab_pool.hpp"
#include "quiesce/detail/staged_stage.hpp"
#include "quiesce/platform.hpp"

namespace quiesce::detail {

template <class P>
class staged_core;

/// Where an object is in its piece of a slab.
struct staged_layout {
    slab_layout slab;
    /// From the node to the object.
    std::size_t offset;
};

template <class P>
class alignas(64) staged_shard {
public:
    using node = staged_node<P>;
    using slab = detail::slab<P, staged_shard>;
    using slabs = slab_list<P, staged_shard>;

    /// Also the stage's home: it needs to know which shard, and which domain, it is of.
    struct stage : staged_stage<P> {
        staged_shard* home = nullptr;
    };

    struct work : basic_rcu_head<P> {
        staged_shard* home = nullptr;
    };

    staged_shard() {
        first.home = this;
        second.home = this;
        refill.home = this;
    }

    static staged_shard& of(const void* object) { return *slab::of(object)->owner; }

    staged_core<P>* core = nullptr;
    stage first;
    stage second;
    work refill;

    /// Null when none is available. `wanted`: whether a refill must be asked for, which it was not yet.
    node* pop(bool& wanted) {
        const lock_hold hold(lock_);
        node* n = nullptr;
        if (!available_.empty()) {
            n = available_.pop_front();
            --available_count_;
        }
        wanted = available_count_ < P::limits().staged_low_watermark && ask_locked();
        return n;
    }

    /// Makes the object available. The same.
    void push(node* n, bool& wanted) {
        const lock_hold hold(lock_);
        available_.push_front(n);
        ++available_count_;
        wanted = available_count_ > P::limits().staged_high_watermark && ask_locked();
    }

    /// Ends a request: the next one is made again.
    void refill_begins() {
        const lock_hold hold(lock_);
        refill_asked_ = false;
    }

    /// Makes objects of the slabs available, up to the middle between the watermarks; returns whether the slabs had
    /// enough.
    bool fill(const staged_layout& layout) {
        const lock_hold hold(lock_);
        for (; available_count_ < middle(); ++available_count_) {
            if (pool_.empty()) {
                return false;
            }
            available_.push_front(static_cast<node*>(pool_.take(layout.slab)));
        }
        return true;
    }

    /// An object of the slabs; null when they have none.
    node* take_one(const staged_layout& layout) {
        const lock_hold hold(lock_);
        return pool_.empty() ? nullptr : static_cast<node*>(pool_.take(layout.slab));
    }

    /// What is more than the middle between the watermarks, if there is more than the higher one.
    void take_surplus(staged_list<P>& surplus) {
        const lock_hold hold(lock_);
        if (available_count_ <= P::limits().staged_high_watermark) {
            return;
        }
        for (; available_count_ > middle(); --available_count_) {
            surplus.push_back(available_.pop_front());
            ++surplus_;
        }
    }

    void take_all(staged_list<P>& objects) {
        const lock_hold hold(lock_);
        objects.splice_back(available_);
        available_count_ = 0;
    }

    /// Returns objects of this shard to their slabs; the slabs that are then too many go to `surplus`. Returns false
    /// when one was of another shard.
    bool put_back(staged_list<P>& objects, const staged_layout& layout, slabs& surplus) {
        bool all_ours = true;
        const lock_hold hold(lock_);
        while (!objects.empty()) {
            node* const n = objects.pop_front();
            slab* const s = slab::of(n);
            all_ours = all_ours && s->owner == this;
            pool_.put(s, layout.slab, n);
            ++returned_;
        }
        pool_.trim(P::limits().spare_slabs, layout.slab, surplus);
        return all_ours;
    }

    void add(slab* s, const staged_layout& layout) {
        const lock_hold hold(lock_);
        pool_.add(s, layout.slab);
    }

    // Around a fork.
    void before_fork() { lock_.lock(); }
    void after_fork() { lock_.unlock(); }

    /// How many more objects came to the stages here than came back from them; the sum over all shards is how many are
    /// in flight, about.
    std::int64_t in_flight() {
        const std::uint64_t deferred = first.additions();
        const lock_hold hold(lock_);
        return static_cast<std::int64_t>(deferred + surplus_ - returned_);
    }

    /// Calls `f(pool, available)` under the lock.
    template <class Function>
    void inspect(Function f) {
        const lock_hold hold(lock_);
        f(pool_, available_count_);
    }

private:
    static unsigned middle() { return (P::limits().staged_low_watermark + P::limits().staged_high_watermark) / 2; }

    bool ask_locked() {
        const bool first_to_ask = !refill_asked_;
        refill_asked_ = true;
        return first_to_ask;
    }

    typename P::mutex lock_;
    // All under the lock.
    staged_list<P> available_;
    unsigned available_count_ = 0;
    bool refill_asked_ = false;
    slab_pool<P, staged_shard> pool_;
    /// Objects that were too many here and went to the second stage, and that came back to the slabs.
    std::uint64_t surplus_ = 0;
    std::uint64_t returned_ = 0;
};

}  // namespace quiesce::detail
