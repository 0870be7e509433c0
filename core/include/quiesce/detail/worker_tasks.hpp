// What a domain's worker is given to run: work that may block, or that must not run inside the call that asks for it.
#pragma once

#include "quiesce/detail/lock_hold.hpp"
#include "quiesce/platform.hpp"
#include "quiesce/rcu_head.hpp"

namespace quiesce::detail {

/// Tasks run one after another, outside the lock, in the order in which they were added; they wait for no grace period.
template <class P>
class worker_tasks {
public:
    using head = basic_rcu_head<P>;

    /// The head is not queued already. The task may add it again.
    void add(head* h, typename head::callback function) {
        h->function.set(function);
        const lock_hold hold(lock_);
        queue_.push_back(h);
    }

    /// Runs the task that was added first; returns whether there was one.
    bool run_next() {
        head* h = nullptr;
        {
            const lock_hold hold(lock_);
            if (queue_.empty()) {
                return false;
            }
            h = queue_.pop_front();
        }
        run(h);
        return true;
    }

    /// Runs the tasks that were added before the call.
    void run_all() {
        head_list<P> batch;
        {
            const lock_hold hold(lock_);
            batch.splice_back(queue_);
        }
        while (!batch.empty()) {
            run(batch.pop_front());
        }
    }

    // Around a fork.
    void before_fork() { lock_.lock(); }
    void after_fork() { lock_.unlock(); }

private:
    static void run(head* h) {
        const typename head::callback function = h->function.get();
        h->function.set(nullptr);
        function(h);
    }

    typename P::mutex lock_;
    head_list<P> queue_;
};

}  // namespace quiesce::detail
