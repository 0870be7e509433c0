// Around a fork: every domain is brought to a state that is whole, and the child is left with the forking thread alone.
#include <pthread.h>

#include <chrono>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "quiesce/native_platform.hpp"

namespace quiesce::native {

namespace {

struct participants {
    std::mutex lock;
    fork_participant* first = nullptr;

    participants() {
        if (::pthread_atfork(&prepare, &parent, &child) != 0) {
            std::abort();
        }
    }

    static void prepare();
    static void parent();
    static void child();

    template <class Step>
    void each(Step step) {
        for (fork_participant* p = first; p != nullptr; p = p->next) {
            (p->*step)();
        }
    }

    // All or none: a call on one domain that is waited for may itself need another.
    bool try_settle() {
        fork_participant* p = first;
        while (p != nullptr && p->before_fork_try_settle()) {
            p = p->next;
        }
        for (fork_participant* settled = first; p != nullptr && settled != p; settled = settled->next) {
            settled->before_fork_unsettle();
        }
        return p == nullptr;
    }
};

// Never destroyed: a process may fork while its statics are destroyed.
participants& all() {
    static auto* const instance = new participants();
    return *instance;
}

void participants::prepare() {
    participants& a = all();
    a.lock.lock();
    a.each(&fork_participant::before_fork_pause);
    while (!a.try_settle()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    // Now, since a driver that stops needs the slots.
    slots_before_fork();
    a.each(&fork_participant::before_fork_lock);
}

void participants::parent() {
    participants& a = all();
    slots_after_fork(false);
    a.each(&fork_participant::after_fork_in_parent);
    a.lock.unlock();
}

void participants::child() {
    participants& a = all();
    slots_after_fork(true);
    a.each(&fork_participant::after_fork_in_child);
    a.lock.unlock();
}

}  // namespace

void fork_participant::take_part() {
    participants& a = all();
    const std::scoped_lock hold(a.lock);
    next = a.first;
    a.first = this;
}

void fork_participant::take_no_part() {
    participants& a = all();
    const std::scoped_lock hold(a.lock);
    fork_participant** link = &a.first;
    while (*link != this) {
        link = &(*link)->next;
    }
    *link = next;
}

}  // namespace quiesce::native
