// Definitions of basic_rcu_domain: what it does around a fork.
#pragma once

#include "quiesce/rcu_domain.hpp"

namespace quiesce {

template <platform P>
void basic_rcu_domain<P>::before_fork_pause() {
    if (in_section()) {
        P::report({misuse::fork_in_section, "fork", this});
    }
    if (running_callbacks_.get() != nullptr) {
        P::report({misuse::fork_in_callback, "fork", this});
    }
    // First, since it may be in a barrier.
    worker_.pause_for_fork();
    driver_.pause_for_fork();
}

template <platform P>
bool basic_rcu_domain<P>::before_fork_try_settle() {
    if (absence_lock_.try_lock()) {
        if (barrier_lock_.try_lock()) {
            if (frees_.try_begin_no_barrier()) {
                return true;
            }
            barrier_lock_.unlock();
        }
        absence_lock_.unlock();
    }
    return false;
}

template <platform P>
void basic_rcu_domain<P>::before_fork_unsettle() {
    frees_.end_no_barrier();
    barrier_lock_.unlock();
    absence_lock_.unlock();
}

template <platform P>
void basic_rcu_domain<P>::before_fork_lock() {
    gp_lock_.lock();
    for (shard& s : shards_) {
        s.queue.before_fork();
    }
    frees_.before_fork();
    slabs_.before_fork();
    caches_.before_fork();
    tasks_.before_fork();
}

template <platform P>
void basic_rcu_domain<P>::after_fork(bool in_child) {
    tasks_.after_fork(in_child);
    caches_.after_fork(in_child);
    slabs_.after_fork();
    frees_.after_fork(in_child);
    for (shard& s : shards_) {
        s.queue.after_fork();
    }
    if (in_child) {
        for (record* r = readers_.first(); r != nullptr; r = r->next.get()) {
            if (r != own_.get()) {
                detail::grace_period<P>::end_section_of_lost_thread(*r);
                readers_.release(r);
            } else {
                // The thread has another number here.
                r->owned.store(P::thread_id(), std::memory_order_relaxed);
            }
        }
        handlers_.store(0, std::memory_order_relaxed);
        unmarked_handler_.store(0, std::memory_order_relaxed);
    }
    gp_lock_.unlock();
    barrier_lock_.unlock();
    absence_lock_.unlock();
}

template <platform P>
void basic_rcu_domain<P>::after_fork_in_parent() {
    after_fork(false);
    driver_.resume_in_parent();
    worker_.resume_in_parent();
}

template <platform P>
void basic_rcu_domain<P>::after_fork_in_child() {
    after_fork(true);
    frees_.begin_again();
    driver_.resume_in_child();
    worker_.resume_in_child();
}

}  // namespace quiesce
