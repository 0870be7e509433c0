// One stage of a staged cache: what has come to it, and the callback that carries a batch through a grace period.
//
// Objects come by `add`, from several threads at once. Whoever finds the counter at 0 owns the stage: it takes what has
// come and starts the callback; the others leave theirs for the owner. Ownership goes from the starter to its callback,
// which gives it up when it has found nothing more. The counter numbers the additions since the stage was last idle: to
// end it from the number up to which everything was taken is one decision, so nothing that comes meanwhile is missed,
// and nothing of the stage is touched afterwards.
//
// Invariants:
// [S1] Only the owner touches `waiting_`, `taken_` and the head. (Race-checked by the engines.)
//
// [S2] `waiting_` is empty when the counter is 0. (Asserted in `claim`.)
//
// [S3] Where the counter is not 0 there is an owner, so what is in `incoming_` will be taken. (Asserted at the end of a
//      cache, in `staged_core::release_memory`.)
//
// Source: the in-progress words and the lists of Starovoitov, 2023, on bpf_mem_free_rcu. There a callback that ends
// leaves what has come meanwhile for the next call; here it looks again.
#pragma once

#include <atomic>
#include <cstdint>

#include "quiesce/detail/fifo_list.hpp"
#include "quiesce/platform.hpp"
#include "quiesce/rcu_head.hpp"

namespace quiesce::detail {

/// What lies in front of each object: a reader may still look at the object itself.
template <class P>
struct staged_node {
    typename P::template plain<staged_node*> next{nullptr};
    /// Whether `destruct` is still to run. Of whoever has the object.
    bool alive = false;
};

template <class P>
using staged_list = fifo_list<staged_node<P>>;

template <class P>
class staged_stage : public basic_rcu_head<P> {
public:
    using node = staged_node<P>;

    staged_stage() = default;
    staged_stage(const staged_stage&) = delete;
    staged_stage& operator=(const staged_stage&) = delete;

    /// For traces.
    void name(const char* list, const char* counter, const char* link) {
        P::name(incoming_, list);
        P::name(in_progress_, counter);
        P::name(this->next, link);
    }

    /// Adds objects, at least one. Returns whether the caller owns the stage now, and must serve it.
    bool add(staged_list<P>& objects) {
        // Most often the list is empty; where it is not, the first exchange tells what it begins with.
        node* newest = nullptr;
        do {
            objects.back()->next.set(newest);
            // [stg.1] release pairs with [stg.2]: whoever takes the objects finds them whole.
        } while (!incoming_.compare_exchange_strong(
            newest, objects.front(),
            P::seeded(defect::batch_added_relaxed) ? std::memory_order_relaxed : std::memory_order_release,
            std::memory_order_relaxed));
        // [stg.3] seq_cst, with [stg.6], [stg.8] and [stg.9]. Also release towards [stg.5], and acquire from [stg.4].
        return in_progress_.fetch_add(1, seq_cst_unless(defect::addition_counted_acq_rel, std::memory_order_acq_rel)) ==
               0;
    }

    /// What has come, each node with the next; null if nothing has. Also for who destroys the cache.
    node* take_incoming() {
        // [stg.2] acquire pairs with [stg.1].
        return incoming_.exchange(
            nullptr, P::seeded(defect::batch_taken_relaxed) ? std::memory_order_relaxed : std::memory_order_acquire);
    }

    // The owner's.

    /// First of all. Returns false when the invariants do not hold.
    bool claim() {
        taken_.set(1);
        return waiting_.get() == nullptr;
    }

    /// What the callback will carry.
    void set_waiting(node* batch) { waiting_.set(batch); }

    node* take_waiting() {
        node* const batch = waiting_.get();
        waiting_.set(nullptr);
        return batch;
    }

    /// Gives ownership up, unless something has come since the last call; returns whether it did. The stage, and all
    /// that it is a part of, may be gone then.
    bool end() {
        const std::uint64_t before = earlier_.load(std::memory_order_relaxed);
        earlier_.store(before + taken_.get(), std::memory_order_relaxed);
        if (end_counter()) {
            return true;
        }
        earlier_.store(before, std::memory_order_relaxed);
        return false;
    }

    // For a listing.

    /// All additions so far. Where the stage ends meanwhile some are counted twice, or not at all.
    std::uint64_t additions() const {
        const std::uint64_t present = in_progress_.load(std::memory_order_relaxed);
        return earlier_.load(std::memory_order_relaxed) + present;
    }

    // Who destroys the cache, and who flushes its first domain.

    /// Whether somebody owns the stage. If not, all that earlier owners did happens before the return.
    bool in_progress() const {
        // [stg.7] acquire pairs with [stg.4].
        return in_progress_.load(std::memory_order_acquire) != 0;
    }

    /// The same of a second stage, by a destroyer that is draining.
    bool in_progress_while_draining() const {
        // [stg.8] seq_cst, with [stg.3], [stg.6] and [stg.9]; as acquire it pairs with [stg.4].
        return in_progress_.load(seq_cst_unless(defect::counter_read_with_acquire, std::memory_order_acquire)) != 0;
    }

    /// The order of one of the four accesses that must be sequentially consistent.
    static std::memory_order seq_cst_unless(defect weakened, std::memory_order weaker) {
        const bool weak = P::seeded(weakened) || P::seeded(defect::draining_with_acquire_release);
        return weak ? weaker : std::memory_order_seq_cst;
    }

private:
    bool end_counter() {
        if (P::seeded(defect::stage_ends_without_looking)) {
            // [stg.4], whatever has come.
            in_progress_.store(0, std::memory_order_release);
            return true;
        }
        std::uint64_t additions = taken_.get();
        // [stg.4] release pairs with [stg.3] of the next owner, and with [stg.7], [stg.8] of who destroys the cache.
        if (in_progress_.compare_exchange_strong(
                additions, 0,
                P::seeded(defect::stage_ended_relaxed) ? std::memory_order_relaxed : std::memory_order_release,
                std::memory_order_relaxed)) {
            return true;
        }
        // [stg.5] acquire pairs with [stg.3]: what was counted is found in the list. Only an execution in which this
        // load is buffered could miss it otherwise: the take [stg.2] stores too, and the addition would have to read
        // that.
        taken_.set(in_progress_.load(std::memory_order_acquire));
        return false;
    }

    typename P::template atomic<node*> incoming_{nullptr};
    typename P::template atomic<std::uint64_t> in_progress_{0};
    typename P::template plain<node*> waiting_{nullptr};
    /// The additions before the counter was last 0. The owner's to write.
    typename P::template atomic<std::uint64_t> earlier_{0};
    /// The additions that the owner has taken.
    typename P::template plain<std::uint64_t> taken_{0};
};

}  // namespace quiesce::detail
