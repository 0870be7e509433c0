// free_rcu: free an object once no reader can hold it any more.
//
// The problem: a callback for each object that is freed costs a queue operation, an indirect call and a cache miss
// each. Freeing needs no callback: it is enough that the object's address is kept until a grace period is over. So
// addresses are collected, a block at a time, and freed in batches.
//
//     struct node { int key; node* next; };            // no head needed
//
//     void remove(node* n) {
//         unlink(n);                                    // new readers no longer find it
//         quiesce::free_rcu(n);                         // deleted after a grace period
//     }
//     void unload() {
//         quiesce::free_rcu_barrier();                  // everything given to free_rcu so far has been deleted
//     }
//
// Guarantees: everything sequenced before the call to `free_rcu` happens before every section that could still find
// the object ends, and those sections happen before the deleter runs. Deleters run on the domain's driver, outside
// every lock, never inside the call (but see below for memory exhaustion).
//
// Two forms. An object that derives publicly from `rcu_head` needs no memory to be deferred: that form never waits, so
// it may be used inside a section and in a deleter. Any other object is headless: its address goes into a block, and
// the object is not touched before its grace period. Where there is no memory for a block, one of the domain's reserve
// is used, then a wrapper of a few words for this object alone. Only where not even that can be had, the call waits for
// a grace period and deletes the object itself; so it must not be used inside a section of the domain (misuse, reported
// at every call in checked builds), where `try_free_rcu` may. A caller that holds a lock which a reader takes inside
// its section can deadlock there, as with rcu_synchronize.
//
// Where an object comes from is told by the overload: by its type and deleter here, by its cache (object_cache.hpp), or
// by `free_large_rcu` (large_block.hpp). `free_rcu(void*)` looks it up by the address.
//
// What it does not do: `rcu_barrier` does not wait for it; `free_rcu_barrier` does (McKenney, 2024, on kfree_rcu and
// rcu_barrier), which is called before the code of a deleter is unloaded, that of std::default_delete included. Frees
// of one thread are in no order. A signal handler must not call it.
#pragma once

#include <concepts>
#include <memory>
#include <type_traits>

#include "quiesce/rcu.hpp"

namespace quiesce {

namespace detail {

template <class T, class P>
concept embeds_head = std::derived_from<T, basic_rcu_head<P>> && std::convertible_to < T*,
        basic_rcu_head<P>
* > ;

// A deleter is not kept, so it must have no state.
template <class D, class T>
concept stateless_deleter =
    !std::is_void_v<T> && std::is_empty_v<D> && std::default_initializable<D> && std::invocable<D, T*>;

template <class T, class D>
void delete_headless(void* object) {
    D()(static_cast<T*>(object));
}

}  // namespace detail

/// Deletes `object` with a default-built D after a grace period of `domain`. The object must be unlinked for new
/// readers before the call and be given once. See basic_rcu_domain::free_rcu for what the two forms promise.
template <class T, class D = std::default_delete<T>, platform P = native_platform>
requires detail::stateless_deleter<D, T>
void free_rcu(T* object, D = D(), basic_rcu_domain<P>& domain = rcu_default_domain()) {
    if constexpr (detail::embeds_head<T, P>) {
        domain.free_rcu(object, [](basic_rcu_head<P>* h) { D()(static_cast<T*>(h)); });
    } else {
        domain.free_rcu(const_cast<std::remove_cv_t<T>*>(object), &detail::delete_headless<T, D>);
    }
}

/// The headless form for where waiting is not allowed: returns false, and has done nothing, when there is no memory to
/// hold the address.
template <class T, class D = std::default_delete<T>, platform P = native_platform>
requires detail::stateless_deleter<D, T> &&(!detail::embeds_head<T, P>)
    [[nodiscard]] bool try_free_rcu(T* object, D = D(), basic_rcu_domain<P>& domain = rcu_default_domain()) {
    return domain.try_free_rcu(const_cast<std::remove_cv_t<T>*>(object), &detail::delete_headless<T, D>);
}

/// Frees what begins at that address, after a grace period: an object of a cache of the domain, or a large block of it,
/// each as its own form of free_rcu does; null is nothing. See basic_rcu_domain::free_rcu(void*).
template <std::same_as<void> Void, platform P = native_platform>
void free_rcu(Void* address, basic_rcu_domain<P>& domain = rcu_default_domain()) {
    domain.free_rcu(address);
}

/// The same for where waiting is not allowed: returns false where it would have to wait, and has then done nothing.
template <std::same_as<void> Void, platform P = native_platform>
[[nodiscard]] bool try_free_rcu(Void* address, basic_rcu_domain<P>& domain = rcu_default_domain()) {
    return domain.try_free_rcu(address);
}

/// See basic_rcu_domain::shrink.
template <platform P = native_platform>
void shrink(basic_rcu_domain<P>& domain = rcu_default_domain()) {
    domain.shrink();
}

/// See basic_rcu_domain::free_rcu_barrier.
template <platform P = native_platform>
void free_rcu_barrier(basic_rcu_domain<P>& domain = rcu_default_domain()) {
    domain.free_rcu_barrier();
}

}  // namespace quiesce
