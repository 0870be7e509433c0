// What belongs to a domain and has locks of its own that must not be held by a thread which a fork leaves behind.
#pragma once

#include "quiesce/detail/lock_hold.hpp"
#include "quiesce/platform.hpp"

namespace quiesce::detail {

struct fork_member {
    void (*lock)(fork_member*) = nullptr;
    void (*unlock)(fork_member*) = nullptr;
    fork_member* next = nullptr;
};

template <class P>
class fork_roll {
public:
    void add(fork_member& m) {
        const lock_hold hold(lock_);
        m.next = first_;
        first_ = &m;
    }
    void remove(fork_member& m) {
        const lock_hold hold(lock_);
        fork_member** link = &first_;
        while (*link != &m) {
            link = &(*link)->next;
        }
        *link = m.next;
    }

    // Around a fork.
    void before_fork() {
        lock_.lock();
        for (fork_member* m = first_; m != nullptr; m = m->next) {
            m->lock(m);
        }
    }
    void after_fork() {
        for (fork_member* m = first_; m != nullptr; m = m->next) {
            m->unlock(m);
        }
        lock_.unlock();
    }

private:
    typename P::mutex lock_;
    // Under the lock.
    fork_member* first_ = nullptr;
};

}  // namespace quiesce::detail
