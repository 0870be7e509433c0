// One shard of a domain's callbacks.
//
// Three segments in order: `fresh_` have no grace period yet, `waiting_` are covered by the one under way, `done_` may
// run. A grace period takes the fresh ones before it starts, so every callback waits for a grace period that began
// after it was queued. Callbacks of a shard run one after another, outside the lock, in the order in which they were
// queued: a marker behind them is then proof that they have finished.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "quiesce/detail/collected.hpp"
#include "quiesce/detail/invariant.hpp"
#include "quiesce/detail/lock_hold.hpp"
#include "quiesce/platform.hpp"
#include "quiesce/rcu_head.hpp"

namespace quiesce::detail {

template <class P>
class alignas(64) callback_queue {
public:
    using head = basic_rcu_head<P>;

    /// Queues a callback. Returns whether none was waiting for a grace period to begin, so that one must be asked for.
    bool enqueue(head* h) {
        const lock_hold hold(lock_);
        ++arrivals_;
        ++queued_;
        if (P::seeded(defect::callback_runs_without_grace_period)) {
            done_.push_back(h);
            return true;
        }
        const bool first = fresh_.empty();
        fresh_.push_back(h);
        return first;
    }

    /// Queues a marker behind everything that is queued or running, into the segment that will run first among those
    /// that are behind them all: a marker needs no grace period of its own. Returns false, and queues nothing, when
    /// there is nothing to be behind.
    bool entrain(head* marker) {
        const lock_hold hold(lock_);
        if (!fresh_.empty()) {
            fresh_.push_back(marker);
        } else if (!waiting_.empty()) {
            waiting_.push_back(marker);
        } else if (!done_.empty() || (running_ && !P::seeded(defect::barrier_skips_running_shard))) {
            done_.push_back(marker);
        } else {
            return false;
        }
        ++queued_;
        return true;
    }

    /// No grace period is under way, and one starts next if anything wants it: it will cover what is fresh. Returns
    /// whether there was anything.
    bool cover() {
        const lock_hold hold(lock_);
        assert_invariant<P>("Q1", [this] { return waiting_.empty(); });
        const bool wanted = !fresh_.empty();
        waiting_.splice_back(fresh_);
        return wanted;
    }

    /// That grace period is over.
    void uncover() {
        const lock_hold hold(lock_);
        done_.splice_back(waiting_);
        if (P::seeded(defect::callback_queued_after_start_accepted)) {
            done_.splice_back(fresh_);
        }
    }

    /// Runs up to `most` callbacks that may run; returns how many it ran. Does nothing while another thread runs some.
    unsigned run(unsigned most) {
        head_list<P> batch;
        {
            const lock_hold hold(lock_);
            if (running_ || done_.empty()) {
                return 0;
            }
            running_ = true;
            for (unsigned n = 0; n != most && !done_.empty(); ++n) {
                batch.push_back(done_.pop_front());
            }
        }
        unsigned ran = 0;
        while (!batch.empty()) {
            head* const h = batch.pop_front();
            const typename head::callback function = h->function.get();
            h->function.set(nullptr);
            function(h);
            ++ran;
        }
        bool awaited = false;
        {
            const lock_hold hold(lock_);
            assert_invariant<P>("Q2", [this] { return running_; });
            running_ = false;
            queued_ -= ran;
            awaited = std::exchange(end_awaited_, false);
            if (awaited) {
                batches_ended_.store(batches_ended_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
            }
        }
        if (awaited && !P::seeded(defect::batch_ends_without_waking)) {
            P::wake(batches_ended_);
        }
        return ran;
    }

    /// Waits until the callbacks that are running, if any, are no longer: a marker is reached before they are.
    void wait_until_batch_ended() {
        std::uint32_t ended = 0;
        {
            const lock_hold hold(lock_);
            if (!running_) {
                return;
            }
            end_awaited_ = true;
            ended = batches_ended_.load(std::memory_order_relaxed);
        }
        // Relaxed: what the callbacks did is found under the lock.
        P::await(
            batches_ended_, [ended](std::uint32_t now) { return now != ended; }, std::memory_order_relaxed);
    }

    /// Whether nothing is queued or running, and how many callbacks were ever queued.
    collected look() {
        const lock_hold hold(lock_);
        return {fresh_.empty() && waiting_.empty() && done_.empty() && !running_, arrivals_};
    }

    /// How many are queued or running, markers included.
    std::uint64_t queued() {
        const lock_hold hold(lock_);
        return queued_;
    }

    // Around a fork, so that the child finds the queue whole.
    void before_fork() { lock_.lock(); }
    void after_fork() { lock_.unlock(); }

private:
    typename P::mutex lock_;
    // All under the lock.
    head_list<P> fresh_;
    head_list<P> waiting_;
    head_list<P> done_;
    bool running_ = false;
    std::uint64_t arrivals_ = 0;
    std::uint64_t queued_ = 0;
    bool end_awaited_ = false;
    /// Of the batches whose end somebody waited for. A number, not a flag that the next batch would take back.
    typename P::template atomic<std::uint32_t> batches_ended_{0};
};

}  // namespace quiesce::detail
