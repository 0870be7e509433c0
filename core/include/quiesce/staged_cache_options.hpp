// What a staged cache is asked to be, and what can be learnt of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace quiesce {

/// How `destroy` finds out whether something of a staged cache is still in flight, and what becomes of it.
///
/// Source: Hou Tao's review, 2023, of Starovoitov's bpf_mem_free_rcu; `draining` is what it led to.
enum class staged_destroy : std::uint8_t {
    /// What is in flight goes on through its grace periods.
    order,
    /// What is in flight is returned as soon as a callback has it.
    draining,
};

/// A staged cache of raw memory.
struct staged_cache_options {
    /// Names the cache in listings and reports. Unique among the caches of the first domain that are not destroyed,
    /// those that are not staged too.
    std::string_view name;
    /// In bytes.
    std::size_t size = 1;
    /// A power of two, at most a quarter of a slab.
    std::size_t alignment = 1;
    staged_destroy on_destroy = staged_destroy::draining;
    /// Runs once for every object that is given back: in the caller of `free`; after both grace periods on the second
    /// domain's driver for `free_rcu`; during and after `destroy` also in the destroyer, on the first domain's driver
    /// or its worker. Outside every lock; must not throw, nor use the cache.
    void (*destruct)(void* object) = nullptr;
};

/// A snapshot of a staged cache.
struct staged_cache_usage {
    std::string name;
    /// Objects that are allocated and not given back.
    std::uint64_t in_use = 0;
    /// Objects that were given to `free_rcu`, or were more than the high watermark, and are on their way through the
    /// stages.
    std::uint64_t in_flight = 0;
    /// Objects that wait in the shards for the next allocation.
    std::uint64_t available = 0;
    std::uint64_t slabs = 0;
    /// Memory of the slabs.
    std::uint64_t bytes = 0;
};

}  // namespace quiesce
