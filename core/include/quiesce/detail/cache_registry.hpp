// The caches of a domain: their names, their indices, and those that a worker still has to settle. Staged caches have a
// list and a lock of their own, and share the names.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "quiesce/detail/cache_core.hpp"
#include "quiesce/detail/fifo_list.hpp"
#include "quiesce/detail/lock_hold.hpp"
#include "quiesce/detail/staged_registry.hpp"
#include "quiesce/platform.hpp"

namespace quiesce::detail {

template <class P>
class cache_registry {
public:
    using core = cache_core<P>;
    struct releaser {
        void operator()(core* c) const { c->release(); }
    };
    /// Keeps a cache's record, not its objects.
    using reference = std::unique_ptr<core, releaser>;

    cache_registry() { P::name(queued_, "caches.queued"); }
    cache_registry(const cache_registry&) = delete;
    cache_registry& operator=(const cache_registry&) = delete;
    /// No worker comes any more for those that are queued.
    ~cache_registry() {
        while (!to_settle_.empty()) {
            to_settle_.pop_front()->release();
        }
    }

    /// Gives the cache the smallest index that no other has. Throws std::invalid_argument when the name is taken.
    void add(core& cache) {
        const lock_hold hold(lock_);
        if (find(cache.options().name) != nullptr || staged_.has(cache.options().name)) {
            throw name_taken(cache.options().name);
        }
        while (has_index(cache.index)) {
            ++cache.index;
        }
        cache.next_in_registry = first_;
        first_ = &cache;
    }

    /// Throws std::invalid_argument when the name is taken.
    void add(staged_member<P>& cache) {
        const lock_hold hold(lock_);
        if (find(cache.name()) != nullptr || !staged_.add(cache)) {
            throw name_taken(cache.name());
        }
    }

    staged_registry<P>& staged() { return staged_; }

    /// From here on another cache may have the name.
    void forget_name(core& cache) {
        const lock_hold hold(lock_);
        cache.named = P::seeded(defect::name_kept_while_pending);
    }

    void remove(core& cache) {
        const lock_hold hold(lock_);
        core** link = &first_;
        while (*link != &cache) {
            link = &(*link)->next_in_registry;
        }
        *link = cache.next_in_registry;
    }

    /// Every cache; destroyed ones too.
    std::vector<reference> all() {
        std::vector<reference> result;
        const lock_hold hold(lock_);
        for (core* c = first_; c != nullptr; c = c->next_in_registry) {
            result.push_back(share(c));
        }
        return result;
    }

    /// The cache with the smallest index from that one on; null when there is none. Needs no memory.
    reference first_from(unsigned index) {
        const lock_hold hold(lock_);
        core* found = nullptr;
        for (core* c = first_; c != nullptr; c = c->next_in_registry) {
            if (c->index >= index && (found == nullptr || c->index < found->index)) {
                found = c;
            }
        }
        return share(found);
    }

    /// Null when there is none.
    reference named(std::string_view name) {
        const lock_hold hold(lock_);
        return share(find(name));
    }

    /// Queues the cache for `settle_next`, with a reference.
    void settle_later(core& cache) {
        cache.acquire();
        {
            const lock_hold hold(lock_);
            to_settle_.push_back(&cache);
            queued_.fetch_add(1, std::memory_order_relaxed);
        }
        P::wake(queued_);
    }

    /// Settles the cache that was queued first; returns whether there was one. Blocks, as a barrier does.
    bool settle_next() {
        core* cache = nullptr;
        {
            const lock_hold hold(lock_);
            if (to_settle_.empty()) {
                return false;
            }
            cache = to_settle_.pop_front();
        }
        cache->settle();
        cache->release();
        return true;
    }

    /// How many were queued so far.
    std::uint64_t queued() const {
        // [wrk.1] acquire pairs with [wrk.2]: who sees that the worker is asked to stop, or what is queued, sees it.
        return queued_.load(std::memory_order_acquire);
    }

    /// Waits until that number changes.
    void wait_until_queued(std::uint64_t seen) {
        P::await(
            queued_, [seen](std::uint64_t now) { return now != seen; }, std::memory_order_relaxed);
    }

    /// Changes the number.
    void wake_worker() {
        // [wrk.2] release pairs with [wrk.1].
        queued_.fetch_add(1, std::memory_order_release);
        P::wake(queued_);
    }

    // Around a fork.
    void before_fork() {
        lock_.lock();
        for (core* c = first_; c != nullptr; c = c->next_in_registry) {
            c->before_fork();
        }
        staged_.before_fork();
    }
    void after_fork(bool in_child) {
        staged_.after_fork(in_child);
        for (core* c = first_; c != nullptr; c = c->next_in_registry) {
            c->after_fork();
        }
        lock_.unlock();
    }

private:
    static std::invalid_argument name_taken(std::string_view name) {
        return std::invalid_argument("a cache of that name exists: " + std::string(name));
    }

    static reference share(core* c) {
        if (c != nullptr) {
            c->acquire();
        }
        return reference(c);
    }

    core* find(std::string_view name) const {
        core* c = first_;
        while (c != nullptr && !(c->named && c->options().name == name)) {
            c = c->next_in_registry;
        }
        return c;
    }

    bool has_index(unsigned index) const {
        for (core* c = first_; c != nullptr; c = c->next_in_registry) {
            if (c->index == index) {
                return true;
            }
        }
        return false;
    }

    typename P::mutex lock_;
    // Under the lock.
    core* first_ = nullptr;
    fifo_list<core> to_settle_;

    staged_registry<P> staged_;
    typename P::template atomic<std::uint64_t> queued_{0};
};

}  // namespace quiesce::detail
