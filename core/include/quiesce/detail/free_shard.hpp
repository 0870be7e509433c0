// One shard of the objects that wait for a grace period to be freed.
//
// Objects come in three channels: blocks of pointers to small objects, blocks of pointers to large ones, and a list of
// embedded heads. All wait in `pending` until one of a few batch slots has *all* its channels empty; then everything
// moves there and asks for a grace period, so at most as many grace periods are asked for as there are slots, and the
// longer they take the more each of them covers.
//
// Each block, and the list of heads, carries the cookie of the grace period that its newest object needs. Each also
// carries the phase in which it was handed over: a barrier begins a new phase and waits until nothing of the old one is
// left, wherever in the shard it is, so what is handed over meanwhile does not hold the barrier up.
//
// Source: struct kfree_rcu_cpu of the Linux kernel, mm/slab_common.c; the phases are an addition.
#pragma once

#include <atomic>
#include <cstdint>

#include "quiesce/detail/collected.hpp"
#include "quiesce/detail/fixed_array.hpp"
#include "quiesce/detail/free_block.hpp"
#include "quiesce/detail/grace_period.hpp"
#include "quiesce/detail/invariant.hpp"
#include "quiesce/detail/lock_hold.hpp"
#include "quiesce/platform.hpp"
#include "quiesce/rcu_head.hpp"

namespace quiesce::detail {

/// Objects of all channels.
template <class P>
struct free_channels {
    block_list<P> blocks[channel_count];
    head_list<P> heads;
    /// Of the heads: how many, what they need, and in which phase the first came.
    unsigned heads_count = 0;
    unsigned heads_phase = 0;
    std::uint64_t heads_cookie = 0;

    bool no_blocks() const {
        bool none = true;
        for (const block_list<P>& list : blocks) {
            none = none && list.empty();
        }
        return none;
    }
    bool empty() const { return no_blocks() && heads.empty(); }

    void push(free_block<P>* b) { blocks[static_cast<unsigned>(b->kind)].push_back(b); }
    /// Null when there is none.
    free_block<P>* pop_block() {
        for (block_list<P>& list : blocks) {
            if (!list.empty()) {
                return list.pop_front();
            }
        }
        return nullptr;
    }

    void take_blocks(free_channels& other) {
        for (unsigned c = 0; c != channel_count; ++c) {
            blocks[c].splice_back(other.blocks[c]);
        }
    }

    void take_heads(free_channels& other) {
        heads.splice_back(other.heads);
        heads_count = other.heads_count;
        heads_phase = other.heads_phase;
        heads_cookie = other.heads_cookie;
        other.heads_count = 0;
    }

    void take(free_channels& other) {
        take_blocks(other);
        take_heads(other);
    }
};

template <class P>
class deferred_frees;

template <class P>
class alignas(64) free_shard {
public:
    using block = free_block<P>;

    free_shard() : slots_(P::limits().free_batches) {}
    /// The objects that are still here are not freed.
    ~free_shard() {
        drop_spares();
        destroy_blocks(pending_);
        for (slot& s : slots_) {
            destroy_blocks(s.held);
        }
    }

    /// Takes over a block of objects and a list of heads (either may be missing) that were filled before the call.
    void hand_over(block* full, head_list<P>& heads, unsigned heads_count, grace_period<P>& gp) {
        const lock_hold hold(lock_);
        // Not before the lock: the cookie must be newer than the newest object, and cookies must not decrease along
        // the list.
        const std::uint64_t cookie = gp.snapshot();
        ++arrivals_;
        if (full != nullptr) {
            if (!P::seeded(defect::block_cookie_of_first_append)) {
                full->cookie = cookie;
            }
            full->phase = phase_;
            ++units_[phase_];
            assert_invariant<P>("F1", [&] {
                const block* const before = pending_.blocks[static_cast<unsigned>(full->kind)].back();
                return before == nullptr || before->cookie <= full->cookie;
            });
            pending_.push(full);
        }
        if (!heads.empty()) {
            if (pending_.heads.empty()) {
                pending_.heads_phase = phase_;
                ++units_[phase_];
                pending_.heads_cookie = cookie;
            } else if (!P::seeded(defect::block_cookie_of_first_append)) {
                pending_.heads_cookie = cookie;
            }
            pending_.heads.splice_back(heads);
            pending_.heads_count += heads_count;
        }
    }

    /// An empty block, or null.
    block* take_spare() {
        const lock_hold hold(lock_);
        if (spares_.empty()) {
            return nullptr;
        }
        --spare_count_;
        return spares_.pop_front();
    }

    /// Keeps an empty block for later, if there is room; otherwise frees it.
    void keep_spare(block* empty) {
        {
            const lock_hold hold(lock_);
            if (spare_count_ < P::limits().spare_blocks) {
                spares_.push_back(empty);
                ++spare_count_;
                return;
            }
        }
        block::destroy(empty, P::limits().free_block_entries);
    }

    /// Gives the empty blocks back.
    void drop_spares() {
        block_list<P> dropped;
        {
            const lock_hold hold(lock_);
            dropped.splice_back(spares_);
            spare_count_ = 0;
        }
        while (!dropped.empty()) {
            block::destroy(dropped.pop_front(), P::limits().free_block_entries);
        }
    }

    struct monitor_result {
        /// The cookie that a batch was started with, or 0.
        std::uint64_t wanted = 0;
        /// Whether objects are still pending because no slot was empty.
        bool left = false;
    };

    /// Moves what can be freed already to `expired`, and the rest to an empty batch slot if there is one.
    monitor_result monitor(grace_period<P>& gp, free_channels<P>& expired) {
        const lock_hold hold(lock_);
        for (block_list<P>& list : pending_.blocks) {
            while (!list.empty() && gp.done(list.front()->cookie)) {
                expired.push(list.pop_front());
            }
        }
        if (!pending_.heads.empty() && gp.done(pending_.heads_cookie)) {
            expired.take_heads(pending_);
        }
        monitor_result result;
        if (pending_.empty()) {
            return result;
        }
        for (slot& s : slots_) {
            if (P::seeded(defect::hand_over_ignores_channel) && s.held.no_blocks()) {
                s.held.take_blocks(pending_);
                if (s.held.heads.empty()) {
                    s.held.take_heads(pending_);
                }
                result.wanted = s.cookie = gp.snapshot();
                return result;
            }
            if (s.held.empty()) {
                s.cookie = pending_.heads.empty() ? 0 : pending_.heads_cookie;
                for (const block_list<P>& list : pending_.blocks) {
                    if (!list.empty() && list.back()->cookie > s.cookie) {
                        s.cookie = list.back()->cookie;
                    }
                }
                result.wanted = s.cookie;
                s.held.take(pending_);
                return result;
            }
        }
        result.left = true;
        return result;
    }

    /// Moves a batch whose grace period is over to `ready`; returns whether there was one.
    bool take_batch(grace_period<P>& gp, free_channels<P>& ready) {
        const lock_hold hold(lock_);
        for (slot& s : slots_) {
            if (!s.held.empty() && (gp.done(s.cookie) || P::seeded(defect::batch_freed_without_grace_period))) {
                ready.take(s.held);
                return true;
            }
        }
        return false;
    }

    /// Objects have been freed: `units` blocks and lists, by phase. Returns whether a barrier waited for the last.
    bool freed(const unsigned (&units)[2]) {
        const lock_hold hold(lock_);
        assert_invariant<P>("F2", [&] { return units[0] <= units_[0] && units[1] <= units_[1]; });
        units_[0] -= units[0];
        units_[1] -= units[1];
        if (barrier_waits_ && units_[1 - phase_] == 0) {
            barrier_waits_ = false;
            return true;
        }
        return false;
    }

    /// Begins a new phase. Returns whether there is anything of the old one to wait for; then `freed` will say when it
    /// is gone. One barrier at a time.
    bool begin_barrier() {
        const lock_hold hold(lock_);
        if (P::seeded(defect::barrier_skips_shard_without_pending) && pending_.empty()) {
            return false;
        }
        assert_invariant<P>("F3", [this] { return !barrier_waits_ && units_[1 - phase_] == 0; });
        barrier_waits_ = units_[phase_] != 0;
        phase_ = 1 - phase_;
        return barrier_waits_;
    }

    // Around a fork.
    void before_fork() { lock_.lock(); }
    void after_fork() { lock_.unlock(); }

    /// Whether nothing is pending or being freed, and how often something was handed over.
    collected look() {
        const lock_hold hold(lock_);
        return {units_[0] == 0 && units_[1] == 0, arrivals_};
    }

private:
    struct slot {
        free_channels<P> held;
        std::uint64_t cookie = 0;
    };

    static void destroy_blocks(free_channels<P>& held) {
        while (block* const b = held.pop_block()) {
            block::destroy(b, P::limits().free_block_entries);
        }
    }

    friend class deferred_frees<P>;

    typename P::mutex lock_;
    // All under the lock.
    free_channels<P> pending_;
    fixed_array<P, slot> slots_;
    /// Blocks and lists that were handed over and not freed yet, by phase.
    unsigned units_[2] = {0, 0};
    unsigned phase_ = 0;
    bool barrier_waits_ = false;
    std::uint64_t arrivals_ = 0;
    block_list<P> spares_;
    unsigned spare_count_ = 0;
};

}  // namespace quiesce::detail
