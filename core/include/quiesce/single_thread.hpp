// RCU for a program of one thread, or an embedded one: the same interface, no background thread, no atomic.
//
// The problem: a library that defers frees is used in a program without threads as well, where a driver thread is not
// to be had and a fence is paid for nothing. There a grace period is simple: whenever the program is outside of every
// section, nobody holds what was unlinked before. The program says so, at a place of its own choosing.
//
//     quiesce::single_thread_domain domain;
//
//     for (;;) {                                        // the program's event loop
//         {
//             std::scoped_lock section(domain);         // a section costs a few ordinary stores
//             handle(next_event());
//         }
//         while (node* n = take_unlinked()) {
//             free_rcu(n, std::default_delete<node>(), domain);
//         }
//         domain.quiescent_point();                     // everything deferred so far is freed here
//     }
//
// It is basic_rcu_domain over a platform for one thread, so every operation has the contract that stands there, and
// object_cache, type_stable_cache, rcu_array, large blocks and free_rcu take such a domain as they take the other. What
// is different:
//
// - callbacks and deleters run in `quiescent_point`, and in calls that wait: `barrier`, `free_rcu_barrier`,
// `flush_all`,
//   the waiting end of a cache. Never in `retire` or `free_rcu`, but that a headless free for which there is no memory
//   is at a quiescent point itself, since it may not be called inside a section: it frees the object at once, by the
//   allocator that the object comes from. There a deleter that frees the next object of a chain recurses.
// - `synchronize` has nothing to wait for, and runs nothing.
// - a wait that nothing would end, as for a cache whose objects are held, is reported as misuse (wait_without_end) in
//   place of a deadlock. Waits with a time limit return at once when nothing is left to do.
// - what a worker would do, settling an `async` cache or refilling a staged one, is done at the next quiescent point,
// or
//   in the wait for that cache's end.
// - the backlog is not throttled: who produces is who frees. Passing the limit is counted.
//
// Requires: one thread at a time uses the domain and what belongs to it. It may go from thread to thread with whatever
// orders other objects, as a mutex; a section stays open meanwhile. A thread's end, and a fork, mean nothing to it.
#pragma once

#include <memory>
#include <utility>

#include "quiesce/free_rcu.hpp"
#include "quiesce/large_block.hpp"
#include "quiesce/object_cache.hpp"
#include "quiesce/rcu_array.hpp"
#include "quiesce/single_thread_platform.hpp"
#include "quiesce/staged_cache.hpp"

namespace quiesce {

using native_single_thread_platform = single_thread_platform<native_platform>;
static_assert(platform<native_single_thread_platform>);

using single_thread_domain = basic_rcu_domain<native_single_thread_platform>;
using single_thread_head = basic_rcu_head<native_single_thread_platform>;
extern template class basic_rcu_domain<native_single_thread_platform>;
extern template class detail::cache_core<native_single_thread_platform>;
extern template class detail::staged_core<native_single_thread_platform>;

/// A base class that gives T `retire(domain, deleter)`. See basic_rcu_obj_base.
template <class T, class D = std::default_delete<T>>
using single_thread_obj_base = basic_rcu_obj_base<T, D, native_single_thread_platform>;

/// See object_cache and type_stable_cache. The domain is always named. An object whose cache is not at hand is freed by
/// `cache_free<T, native_single_thread_platform>`.
template <class T>
using single_thread_cache = object_cache<T, native_single_thread_platform>;
template <class T>
using single_thread_type_stable_cache = type_stable_cache<T, native_single_thread_platform>;

using single_thread_staged_cache = basic_staged_cache<native_single_thread_platform>;

/// See basic_rcu_domain::quiescent_point.
inline void quiescent_point(single_thread_domain& domain) {
    domain.quiescent_point();
}

}  // namespace quiesce
