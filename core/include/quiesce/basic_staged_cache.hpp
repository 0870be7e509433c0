// A cache of raw memory whose objects pass two grace periods before their memory is returned.
//
// The problem: objects that two kinds of readers may hold, short ones that never block and long ones that may, each
// kind with a domain of its own. Waiting for both inside one free would be slow, and the long domain's grace periods
// are the rarer ones; so an object goes through a grace period of the first domain, then through one of the second, in
// batches, each shard with at most one callback in each domain. The difficulty is to destroy such a cache: a callback
// of the first domain may just be starting one of the second.
//
//     quiesce::rcu_domain tasks;                       // its readers may block
//     quiesce::staged_cache nodes(quiesce::rcu_default_domain(), tasks,
//                                 {.name = "nodes", .size = sizeof(node), .alignment = alignof(node)});
//
//     void* const n = nodes.allocate();
//     unlink(n);
//     nodes.free_rcu(n);                               // first domain, second domain, slab
//     nodes.destroy().wait();
//
// Guarantees: memory that was given to `free_rcu` is not used again before every section that was open in the first
// domain at the call has ended, and then every one that was open in the second domain (destroy excepted: it requires
// that there are none). `allocate` and both frees do not wait for readers. After the end nothing of the cache is
// touched.
//
// What it does not do: `free` waits for no grace period, and what it takes may be handed out again at once, also on
// another shard than its own. In the child of a fork a cache may be used, and destroyed, only if no other thread was in
// a call on it at the fork; its objects in flight are returned in the child too. `free_rcu_barrier` does not wait for
// it, and `barrier` of one domain covers one stage; `rcu_domain::flush_all` of the first domain covers both, and the
// end.
//
// Source: Starovoitov, 2023, on bpf_mem_alloc and bpf_mem_free_rcu, with call_rcu_tasks_trace as the second stage. How
// the end is found, and why that is right, stands in detail/staged_core.hpp.
#pragma once

#include <string_view>
#include <utility>

#include "quiesce/detail/staged_core.hpp"
#include "quiesce/platform.hpp"
#include "quiesce/rcu_domain.hpp"
#include "quiesce/staged_cache_options.hpp"

namespace quiesce {

/// The end of a destroyed staged cache, to be waited for. Copies speak of the same cache. May outlive the cache and,
/// once that has ended, its domains.
template <platform P>
class basic_staged_token {
public:
    basic_staged_token(const basic_staged_token& other) : core_(other.core_) { core_->acquire(); }
    basic_staged_token& operator=(basic_staged_token other) {
        std::swap(core_, other.core_);
        return *this;
    }
    ~basic_staged_token() { core_->release(); }

    /// Waits until nothing of the cache can be touched any more and its memory is released. Blocks while the worker of
    /// the first domain, or another thread's `settle_step`, waits for both domains, and the first domain's driver for a
    /// grace period. Misuse inside a section or a callback of either.
    void wait() const {
        if (!core_->ended() && !core_->wait_refused("staged_token::wait")) {
            core_->wait();
        }
    }

    /// The same, but at most the given time; returns whether the cache has ended.
    bool wait_for(unsigned milliseconds) const {
        return core_->ended() || core_->wait_refused("staged_token::wait_for") ? poll() : core_->wait_for(milliseconds);
    }

    /// Whether the cache has ended. Does not block. If so, all that was done with it happens before the return.
    bool poll() const { return core_->ended(); }

    /// Calls `function(context)` when the cache has ended: on the first domain's driver, outside every lock, or now if
    /// it has already. One for a cache: a later one replaces it. It may still be returning when `wait` returns;
    /// `barrier` of the first domain after that waits for it too, and so does `flush_all`.
    void on_end(void (*function)(void*), void* context) const { core_->on_end(function, context); }

private:
    template <platform>
    friend class basic_staged_cache;

    explicit basic_staged_token(detail::staged_core<P>& core) : core_(&core) { core_->acquire(); }

    detail::staged_core<P>* core_;
};

/// See the beginning of this file.
template <platform P>
class basic_staged_cache {
public:
    using token = basic_staged_token<P>;

    /// Both domains outlive the cache's end; they may be the same. The first one lists the cache
    /// (basic_rcu_domain::caches). Throws std::bad_alloc; std::invalid_argument when the first domain has a cache of
    /// that name, or the alignment is none; std::system_error when a domain's driver cannot be started.
    basic_staged_cache(basic_rcu_domain<P>& first, basic_rcu_domain<P>& second, const staged_cache_options& options)
        : core_(detail::staged_core<P>::create(first, second, options)) {}
    basic_staged_cache(const basic_staged_cache&) = delete;
    basic_staged_cache& operator=(const basic_staged_cache&) = delete;

    /// Destroys the cache and waits for its end; inside a section or a callback it does not wait.
    ~basic_staged_cache() {
        if (!destroyed_) {
            const token end = destroy();
            if (core_->may_wait()) {
                end.wait();
            }
        }
        core_->release();
    }

    /// Memory for one object, of the caller's shard. Null when there is none; also, as misuse, after `destroy`. Does
    /// not wait. Where fewer objects than the low watermark are available the worker of the first domain refills them;
    /// where none is, the call makes a slab itself.
    void* allocate() { return refused(misuse::allocate_after_destroy, "allocate") ? nullptr : core_->allocate(); }

    /// Makes an object available at once to the next allocation on the caller's shard. No reader holds it, or readers
    /// can tell that it was used again. Does not wait. What is above the high watermark goes through the second stage,
    /// from the worker. Release towards the allocation that gets it.
    void free(void* object) {
        if (!refused(misuse::free_after_destroy, "free")) {
            core_->free(object);
        }
    }

    /// Returns an object to its slab after a grace period of the first domain and then one of the second. Does not wait
    /// and needs no memory, so it may be called anywhere, also inside sections and callbacks. Does not touch the object
    /// before.
    void free_rcu(void* object) {
        if (!refused(misuse::free_after_destroy, "free_rcu")) {
            core_->free_rcu(object);
        }
    }

    /// Takes the locks of all shards, one after another. What changes hands meanwhile may be counted twice, or not at
    /// all. After `destroy` there is nothing but the name; `caches` of the first domain tells what is left then.
    staged_cache_usage usage() {
        if (destroyed_) {
            staged_cache_usage u;
            u.name = core_->options().name;
            return u;
        }
        return core_->usage();
    }

    /// Whether `destroy` was called.
    bool destroyed() const { return destroyed_; }

    /// Destroys the cache; its name is free at once. Requires: every other call on it has returned, none comes any
    /// more, and no section that may hold an object of it is open in either domain, or will be. Objects may be anywhere
    /// on their way. When nothing is in flight the cache has ended on return; else the worker of the first domain waits
    /// for the callbacks of both and releases its memory, and the first domain's driver ends it. Does not block, except
    /// to take the worker's steps itself where no thread can be had for it, outside sections and callbacks. Objects
    /// that are held, neither freed nor deferred, are reported once; their slabs stay mapped for ever, but they can no
    /// longer be freed. A second call only returns a token.
    token destroy() {
        token end(*core_);
        if (!destroyed_) {
            destroyed_ = true;
            core_->destroy();
        }
        return end;
    }

private:
    bool refused(misuse kind, std::string_view call) const {
        if (destroyed_) [[unlikely]] {
            P::report({kind, call, this, core_->options().name});
        }
        return destroyed_;
    }

    detail::staged_core<P>* const core_;
    bool destroyed_ = false;
};

}  // namespace quiesce
