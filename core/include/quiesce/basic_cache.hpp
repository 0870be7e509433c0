// A destroyable cache of raw memory: what object_cache is made of, and what scenarios use.
#pragma once

#include <utility>

#include "quiesce/cache_options.hpp"
#include "quiesce/platform.hpp"
#include "quiesce/rcu_domain.hpp"

namespace quiesce {

/// The end of a destroyed cache, to be waited for. Copies speak of the same cache.
template <platform P>
class basic_cache_token {
public:
    basic_cache_token(const basic_cache_token& other) : core_(other.core_), domain_(other.domain_) { core_->acquire(); }
    basic_cache_token& operator=(basic_cache_token other) {
        std::swap(core_, other.core_);
        std::swap(domain_, other.domain_);
        return *this;
    }
    ~basic_cache_token() { core_->release(); }

    /// Waits until the last object has been given back and all memory of the cache is released. Blocks. Misuse inside a
    /// section or a callback.
    void wait() const {
        if (!ended_or_refused("cache_token::wait")) {
            core_->wait();
        }
    }

    /// The same, but at most the given time; returns whether the cache has ended.
    bool wait_for(unsigned milliseconds) const {
        return ended_or_refused("cache_token::wait_for") ? poll() : core_->wait_for(milliseconds);
    }

    /// Whether the cache has ended. Does not block. If so, all that was done with it happens before the return.
    bool poll() const { return core_->ended(); }

    /// Calls `function(context)` when the cache has ended: on the driver, outside every lock, or now if it has already.
    /// One for a cache: a later one replaces it. It may still be returning when `wait` returns; `barrier` after that
    /// waits for it too.
    void on_end(void (*function)(void*), void* context) const { core_->on_end(function, context); }

private:
    template <platform>
    friend class basic_cache;

    basic_cache_token(detail::cache_core<P>& core, basic_rcu_domain<P>& domain) : core_(&core), domain_(&domain) {
        core_->acquire();
    }

    bool ended_or_refused(std::string_view call) const {
        return core_->ended() ||
               domain_->refuse(misuse::destroy_in_section, misuse::destroy_in_callback, call, core_->options().name);
    }

    detail::cache_core<P>* core_;
    basic_rcu_domain<P>* domain_;
};

/// A cache of raw memory. Allocation and freeing do not block on readers, and take no lock while the calling thread's
/// own magazines serve them.
template <platform P>
class basic_cache {
public:
    using token = basic_cache_token<P>;

    /// Throws std::bad_alloc; std::invalid_argument when the domain has a cache of that name, or the alignment is none;
    /// std::system_error when the domain's driver cannot be started.
    basic_cache(basic_rcu_domain<P>& domain, const cache_options& options)
        : domain_(domain), core_(core::create(domain, options)) {}
    basic_cache(const basic_cache&) = delete;
    basic_cache& operator=(const basic_cache&) = delete;

    /// Destroys the cache by its strategy. Where that would have to wait in a section or a callback, which is reported
    /// as misuse, it does not wait.
    ~basic_cache() {
        if (!destroyed_) {
            (void)destroy();
        }
        if (!destroyed_) {
            core_->destroy(destroy_strategy::last_free);
        }
        core_->release();
    }

    /// Null when there is no memory; also, as misuse, when the cache is destroyed. `site` stands for the caller in
    /// reports of objects that are held at the end.
    void* allocate(const void* site = nullptr) { return core_->allocate(site); }

    /// Destructs an object and gives it back. Legal after `destroy`.
    void free(void* object) { core_->free(object); }

    /// Gives back an object that was not constructed.
    void take_back(void* object) { core_->take_back(object); }

    /// Gives an object back after a grace period, and destructs it then. Legal after `destroy`. As
    /// basic_rcu_domain::free_rcu, it may wait, and is misuse inside a section.
    void free_rcu(void* object) { core_->free_rcu(object); }

    /// The same, but returns false where it would wait, and has then done nothing.
    [[nodiscard]] bool try_free_rcu(void* object) { return core_->try_free_rcu(object); }

    /// Takes back what threads keep, and releases every slab that is not needed.
    void shrink() { core_->shrink(); }

    cache_usage usage() { return core_->usage(); }

    /// Whether this handle's `destroy` was called.
    bool destroyed() const { return destroyed_; }

    /// Destroys the cache: its name is free at once, nothing can be allocated any more, objects in flight and objects
    /// held may still be given back. When the last has been, the memory is released. With the strategy `wait` the call
    /// waits until nothing is in flight, and until the end if nothing is held; what is held then is reported once.
    /// Misuse inside a section or a callback. Once; a second call only returns a token.
    token destroy() {
        const bool waits = core_->options().on_destroy == destroy_strategy::wait;
        if (!destroyed_ && !(waits && domain_.refuse(misuse::destroy_in_section, misuse::destroy_in_callback,
                                                     "cache destroy", core_->options().name))) {
            destroyed_ = true;
            core_->destroy(core_->options().on_destroy);
        }
        return token(*core_, domain_);
    }

private:
    using core = detail::cache_core<P>;

    basic_rcu_domain<P>& domain_;
    core* const core_;
    bool destroyed_ = false;
};

}  // namespace quiesce
