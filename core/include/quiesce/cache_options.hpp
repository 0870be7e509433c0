// What a cache is asked to be, and what can be learnt of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace quiesce {

/// How `destroy` treats objects that are still waiting to be freed, or held.
enum class destroy_strategy : std::uint8_t {
    /// Waits until what is in flight has been freed, and for the end of the cache if nothing is held.
    wait,
    /// A worker waits; the caller returns.
    async,
    /// Nobody waits: the last free ends the cache. What is held is not reported.
    last_free,
};

/// A cache of raw memory. `object_cache` fills this in from a type.
struct cache_options {
    /// Names the cache in listings and reports. Unique among the caches of a domain that are not destroyed, staged ones
    /// too.
    std::string_view name;
    std::size_t size = 1;
    std::size_t alignment = 1;
    destroy_strategy on_destroy = destroy_strategy::wait;
    /// Whether the domain knows an object of the cache by its address alone (basic_rcu_domain::free_rcu). Without it a
    /// slab that is made, or released, is not entered in the domain's table.
    bool by_address = true;
    /// Freed objects may be allocated again at once, also by readers' standards: their memory stays of the same type
    /// for a grace period after the slab is given up. `construct` and `destruct` then run once per object of a slab.
    bool type_stable = false;
    /// For debugging: freed objects are not allocated again while so many bytes of freed ones are younger. What a user
    /// writes into them meanwhile is reported as misuse, and any use of them by AddressSanitizer, unless the cache is
    /// type-stable: those stay as they are. Every free takes the cache's lock. Destroying the cache ends it. 0 for
    /// none.
    std::size_t quarantine_bytes = 0;
    /// Type-stable only: runs when a slab is made, in the thread that allocates; must not throw.
    void (*construct)(void* object) = nullptr;
    /// Type-stable: runs when a slab is given up, on the driver. Otherwise: runs before an object goes back to the
    /// cache, in the caller of `free`, or on the driver after `free_rcu`. Outside every lock; must not throw.
    void (*destruct)(void* object) = nullptr;
};

/// A snapshot of a cache.
struct cache_usage {
    std::string name;
    /// Whether it is a staged cache.
    bool staged = false;
    /// Whether it is destroyed, and waits for its last object.
    bool pending = false;
    /// Objects that are allocated and not given back.
    std::uint64_t in_use = 0;
    /// Objects that were given to `free_rcu` and wait to be freed; of a staged cache, all that are on their way.
    std::uint64_t in_flight = 0;
    /// Objects that were freed and may not be allocated again yet.
    std::uint64_t quarantined = 0;
    std::uint64_t slabs = 0;
    /// Memory of the slabs.
    std::uint64_t bytes = 0;
};

/// A line of a listing: `nodes: pending (in flight: 3, quarantined: 0, held: 1), 4 slabs, 262144 bytes`; of a staged
/// cache, `nodes: staged, pending (...`.
std::string describe(const cache_usage& usage);

}  // namespace quiesce
