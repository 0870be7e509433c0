// object_cache: a destroyable cache of objects of one type.
//
// The problem: a program that frees objects after a grace period and then destroys their cache must know when the last
// of them has been freed. rcu_barrier does not tell (McKenney, 2024, on kfree_rcu and rcu_barrier): it waits for
// callbacks, not for what free_rcu collects. So the cache itself counts what is out, and ends when that is nothing.
//
//     quiesce::object_cache<node> nodes({.name = "nodes"});
//
//     node* n = nodes.allocate(42);                  // constructs a node
//     unlink(n);
//     nodes.free_rcu(n);                             // destroys it after a grace period
//     auto end = nodes.destroy();                    // by the cache's strategy; the name is free again at once
//     end.wait();
//
// Guarantees: no slab is released while an object of it is held or in flight. Destructors run on the domain's driver
// for `free_rcu`, in the caller for `free`; outside every lock in both cases. An object that is given back after
// `destroy` is still freed, also when the handle is gone (`cache_free`, `cache_free_rcu`).
//
// Type-stable caches (SLAB_TYPESAFE_BY_RCU in Linux) construct each object once, when its slab is made, and hand it out
// and take it back as it is. A reader may find an object that has been freed and allocated again meanwhile; it can lock
// it, and must then check that it still is the one it wanted. The slab itself is released after a grace period.
//
// What it does not do: in unchecked builds a double free is not seen. Freed objects are poisoned only in a cache that
// has a quarantine (`quarantine_bytes`), which is for debugging: it delays their reuse.
#pragma once

#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

#include "quiesce/basic_cache.hpp"
#include "quiesce/rcu.hpp"

namespace quiesce {

using cache_token = basic_cache_token<native_platform>;
extern template class detail::cache_core<native_platform>;

/// What an object_cache is asked to be. See cache_options.
struct object_cache_options {
    std::string_view name;
    destroy_strategy on_destroy = destroy_strategy::wait;
    std::size_t quarantine_bytes = 0;
    /// Whether free_rcu(void*) finds the objects.
    bool by_address = true;
};

namespace detail {

template <class T>
void construct_object(void* memory) {
    ::new (memory) T();
}

template <class T>
void destruct_object(void* object) {
    std::destroy_at(static_cast<T*>(object));
}

template <class T, bool TypeStable>
cache_options options_for(const object_cache_options& o) {
    cache_options c{};
    c.name = o.name;
    c.size = sizeof(T);
    c.alignment = alignof(T);
    c.on_destroy = o.on_destroy;
    c.quarantine_bytes = o.quarantine_bytes;
    c.by_address = o.by_address;
    c.type_stable = TypeStable;
    if constexpr (TypeStable) {
        c.construct = &construct_object<T>;
    }
    c.destruct = std::is_trivially_destructible_v<T> ? nullptr : &destruct_object<T>;
    return c;
}

}  // namespace detail

/// What both kinds of object caches do. See basic_cache for the operations' contracts.
template <class T, bool TypeStable, platform P>
class object_cache_base {
public:
    /// Throws as basic_cache does.
    explicit object_cache_base(const object_cache_options& options, basic_rcu_domain<P>& domain = rcu_default_domain())
        : cache_(domain, detail::options_for<T, TypeStable>(options)) {}

    /// Frees the object now. No reader may hold it, unless the cache is type-stable.
    void free(T* object) { cache_.free(object); }
    /// Frees the object after a grace period.
    void free_rcu(T* object) { cache_.free_rcu(object); }
    [[nodiscard]] bool try_free_rcu(T* object) { return cache_.try_free_rcu(object); }
    void shrink() { cache_.shrink(); }
    cache_usage usage() { return cache_.usage(); }
    basic_cache_token<P> destroy() { return cache_.destroy(); }

protected:
    ~object_cache_base() = default;

    /// The caller's place stands in reports of what is held at the end. Null when the cache is destroyed.
    [[gnu::always_inline]] void* allocate_memory() {
        void* const memory = cache_.allocate(P::checked() ? native::caller() : nullptr);
        if (memory == nullptr && !cache_.destroyed()) {
            throw std::bad_alloc();
        }
        return memory;
    }

    basic_cache<P> cache_;
};

/// A cache of objects that are constructed when they are allocated and destroyed when they are freed.
template <class T, platform P = native_platform>
class object_cache : public object_cache_base<T, false, P> {
public:
    using object_cache_base<T, false, P>::object_cache_base;

    /// Constructs an object. Throws std::bad_alloc, and what the constructor throws. After `destroy` it is misuse, and
    /// returns null.
    template <class... Arguments>
    [[gnu::always_inline]] T* allocate(Arguments&&... arguments) {
        void* const memory = this->allocate_memory();
        if (memory == nullptr) {
            return nullptr;
        }
        if constexpr (std::is_nothrow_constructible_v<T, Arguments...>) {
            return ::new (memory) T(std::forward<Arguments>(arguments)...);
        } else {
            try {
                return ::new (memory) T(std::forward<Arguments>(arguments)...);
            } catch (...) {
                this->cache_.take_back(memory);
                throw;
            }
        }
    }
};

/// A cache of objects that stay objects of this type when they are freed.
template <class T, platform P = native_platform>
class type_stable_cache : public object_cache_base<T, true, P> {
public:
    using object_cache_base<T, true, P>::object_cache_base;

    /// An object as the last who freed it left it, or as default-constructed. Throws std::bad_alloc. After `destroy` it
    /// is misuse, and returns null.
    [[gnu::always_inline]] T* allocate() { return static_cast<T*>(this->allocate_memory()); }
};

/// Frees an object of whatever cache it comes from, which may be destroyed. See object_cache_base::free.
template <class T, platform P = native_platform>
void cache_free(T* object) {
    detail::slab<P>::of(object)->owner->free(object);
}

/// See object_cache_base::free_rcu.
template <class T, platform P = native_platform>
void cache_free_rcu(T* object) {
    detail::slab<P>::of(object)->owner->free_rcu(object);
}

}  // namespace quiesce
