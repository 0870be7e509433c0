// What a domain's worker is given to run: work that may block, or that must not run inside the call that asks for it.
#pragma once

#include <atomic>
#include <cstdint>

#include "quiesce/detail/collected.hpp"
#include "quiesce/detail/lock_hold.hpp"
#include "quiesce/platform.hpp"
#include "quiesce/rcu_head.hpp"

namespace quiesce::detail {

/// Tasks run outside the lock, in the order in which they were added; one after another, unless several threads take
/// the worker's steps. They wait for no grace period.
template <class P>
class worker_tasks {
public:
    using head = basic_rcu_head<P>;

    worker_tasks() { P::name(returned_, "tasks.returned"); }

    /// The head is not queued already. The task may add it again.
    void add(head* h, typename head::callback function) {
        const lock_hold hold(lock_);
        push(h, function);
    }

    /// The same, but returns false, and has done nothing, when the head is queued already.
    bool add_once(head* h, typename head::callback function) {
        const lock_hold hold(lock_);
        if (h->function.get() != nullptr) {
            return false;
        }
        push(h, function);
        return true;
    }

    /// Runs the task that was added first; returns whether there was one.
    bool run_next() {
        head* h = nullptr;
        typename head::callback function = nullptr;
        {
            const lock_hold hold(lock_);
            if (queue_.empty()) {
                return false;
            }
            h = queue_.pop_front();
            function = take(h);
        }
        run(h, function);
        return true;
    }

    /// Runs the tasks that were added before the call. For who is alone.
    void run_all() {
        head_list<P> batch;
        {
            const lock_hold hold(lock_);
            batch.splice_back(queue_);
        }
        while (!batch.empty()) {
            head* const h = batch.pop_front();
            run(h, take(h));
        }
    }

    /// How many were added so far. When as many have returned, those have, unless several threads run them: then some
    /// of those that were added later may have instead.
    std::uint64_t added() {
        const lock_hold hold(lock_);
        return added_;
    }

    /// How many have returned; to be waited for with acquire.
    typename P::template atomic<std::uint64_t>& returned() { return returned_; }

    collected look() {
        const lock_hold hold(lock_);
        // [wrk.4] acquire pairs with [wrk.3].
        return {returned_.load(std::memory_order_acquire) == added_, added_};
    }

    // Around a fork.
    void before_fork() { lock_.lock(); }
    void after_fork(bool in_child) {
        if (in_child) {
            // What another thread was running never returns.
            std::uint64_t queued = 0;
            for (head* h = queue_.front(); h != nullptr; h = h->next.get()) {
                ++queued;
            }
            returned_.store(added_ - queued, std::memory_order_relaxed);
        }
        lock_.unlock();
    }

private:
    void push(head* h, typename head::callback function) {
        h->function.set(function);
        queue_.push_back(h);
        ++added_;
    }
    static typename head::callback take(head* h) {
        const typename head::callback function = h->function.get();
        h->function.set(nullptr);
        return function;
    }
    void run(head* h, typename head::callback function) {
        function(h);
        // [wrk.3] release pairs with [wrk.4]: what a task did happens before whoever finds that it has returned goes
        // on.
        returned_.fetch_add(
            1, P::seeded(defect::task_returned_relaxed) ? std::memory_order_relaxed : std::memory_order_release);
        P::wake(returned_);
    }

    typename P::mutex lock_;
    // Under the lock.
    head_list<P> queue_;
    std::uint64_t added_ = 0;
    typename P::template atomic<std::uint64_t> returned_{0};
};

}  // namespace quiesce::detail
