// The staged caches whose first domain a domain is: their names, what is in flight in them, and whose locks a fork
// takes.
//
// A cache is listed from its creation until it has ended, and leaves the list under the lock. So whoever finds it
// there, under the lock, finds all of it, and its second domain too, which may be gone as soon as the cache is.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "quiesce/cache_options.hpp"
#include "quiesce/detail/collected.hpp"
#include "quiesce/detail/lock_hold.hpp"
#include "quiesce/platform.hpp"
#include "quiesce/report.hpp"

namespace quiesce::detail {

template <class P>
class staged_registry;

/// A staged cache, to its first domain. Under the registry's lock.
template <class P>
class staged_member {
public:
    staged_member() = default;
    staged_member(const staged_member&) = delete;
    staged_member& operator=(const staged_member&) = delete;

    virtual std::string_view name() const = 0;
    virtual cache_usage listed() = 0;
    /// Whether anything is in a stage. If not, all that callbacks of the cache did happens before the return.
    virtual bool has_stage_in_progress() = 0;
    /// Asks the worker to wait for the callbacks of the second domain, if anything is in a stage. The cache does not
    /// end before it has.
    virtual void ask_for_visit() = 0;
    /// Why the caller must not wait for the second domain, if it must not.
    virtual std::optional<misuse> refusal_to_wait() = 0;

    // Around a fork.
    virtual void before_fork() = 0;
    virtual void after_fork() = 0;
    /// Of a destroyed cache, in the child: whether its end is still to come, not lost with a thread.
    virtual bool will_end() = 0;

protected:
    ~staged_member() = default;

    bool is_destroyed() const { return destroyed_; }

private:
    friend class staged_registry<P>;

    staged_member* next_ = nullptr;
    bool destroyed_ = false;
    /// Not what was there at a fork, in the child: a thread that was in a call on it will not return from it.
    bool waited_for_ = true;
};

template <class P>
class staged_registry {
public:
    using member = staged_member<P>;

    /// Returns false, and has done nothing, when the name is taken.
    bool add(member& cache) {
        const lock_hold hold(lock_);
        if (find(cache.name()) != nullptr) {
            return false;
        }
        cache.next_ = first_;
        first_ = &cache;
        return true;
    }

    bool has(std::string_view name) {
        const lock_hold hold(lock_);
        return find(name) != nullptr;
    }

    /// From here on another cache may have the name, and this one is pending.
    void is_destroyed(member& cache) {
        const lock_hold hold(lock_);
        cache.destroyed_ = true;
        cache.waited_for_ = true;
        ++destroyed_;
    }

    /// Calls `f()` while nobody looks at a cache.
    template <class Function>
    void while_locked(Function f) {
        const lock_hold hold(lock_);
        f();
    }

    void remove(member& cache) {
        const lock_hold hold(lock_);
        member** link = &first_;
        while (*link != &cache) {
            link = &(*link)->next_;
        }
        *link = cache.next_;
    }

    /// Calls `f` for every cache, under the lock; destroyed ones too.
    template <class Function>
    void for_each(Function f) {
        const lock_hold hold(lock_);
        for (member* m = first_; m != nullptr; m = m->next_) {
            f(*m);
        }
    }

    std::optional<cache_usage> named(std::string_view name) {
        const lock_hold hold(lock_);
        member* const found = find(name);
        return found == nullptr ? std::nullopt : std::optional(found->listed());
    }

    /// Asks for a visit of every cache that is not destroyed; those that are wait for their second domain by
    /// themselves.
    void ask_for_visits() {
        for_each([](member& m) {
            if (!m.destroyed_) {
                m.ask_for_visit();
            }
        });
    }

    /// What is in the stages, and which caches are pending. What comes to a stage is not counted here.
    collected look() {
        const lock_hold hold(lock_);
        collected all{true, destroyed_};
        for (member* m = first_; m != nullptr; m = m->next_) {
            if (m->waited_for_ && (m->destroyed_ || m->has_stage_in_progress())) {
                all.idle = false;
            }
        }
        return all;
    }

    // Around a fork.
    void before_fork() {
        lock_.lock();
        for (member* m = first_; m != nullptr; m = m->next_) {
            m->before_fork();
        }
    }
    void after_fork(bool in_child) {
        for (member* m = first_; m != nullptr; m = m->next_) {
            m->after_fork();
            if (in_child) {
                m->waited_for_ = m->destroyed_ && m->will_end();
            }
        }
        lock_.unlock();
    }

private:
    member* find(std::string_view name) const {
        member* m = first_;
        while (m != nullptr && ((m->destroyed_ && !P::seeded(defect::name_kept_while_pending)) || m->name() != name)) {
            m = m->next_;
        }
        return m;
    }

    typename P::mutex lock_;
    // Under the lock.
    member* first_ = nullptr;
    /// How many were.
    std::uint64_t destroyed_ = 0;
};

}  // namespace quiesce::detail
