// Every size that a protocol depends on, in one type.
#pragma once

#include <cstddef>
#include <cstdint>

namespace quiesce {

/// Sizes of the core's structures. The product uses the defaults; model platforms replace them per run, because sizes
/// of one hide wrap-around and full-queue paths.
struct limits {
    /// Queues per domain, of callbacks and of deferred frees. A thread uses the ones of the CPU that it runs on.
    unsigned shards = 16;
    /// Callbacks that one reclaim step runs before it looks at the next shard.
    unsigned callbacks_per_step = 1024;
    /// Objects that a thread collects before it hands them to a shard.
    unsigned free_block_entries = 254;
    /// Batches of a shard that may wait for a grace period at the same time.
    unsigned free_batches = 2;
    /// Empty blocks that a shard keeps for the next threads.
    unsigned spare_blocks = 16;
    /// Empty blocks that a domain keeps for when there is no memory for another.
    unsigned reserve_blocks = 4;
    /// After memory was short, or given back: the most monitor steps for which the reserve is not filled again.
    unsigned refill_backoff = 256;
    /// Parts of each table of addresses; each has a lock of its own.
    unsigned address_parts = 4;
    /// What a large block's size is rounded up to; a power of two.
    std::size_t page_bytes = 4096;
    /// The array of an rcu_array is a large block from that size on: below, mapping it costs more than it gives back.
    std::size_t mapped_array_bytes = std::size_t{128} * 1024;
    /// A slab's alignment, and its size unless one object needs more; a power of two. The most objects in one.
    std::size_t slab_bytes = std::size_t{64} * 1024;
    unsigned slab_objects = 4096;
    /// Unused slabs that a cache keeps.
    unsigned spare_slabs = 2;
    /// The most objects that a thread exchanges with a cache at a time.
    unsigned magazine_objects = 64;
    /// Magazines with objects, and without, that a cache keeps for its threads.
    unsigned depot_magazines = 8;
    /// Of a staged cache, for each shard: with fewer objects available, or more, a refill is asked for, which brings
    /// their number to the middle between the two.
    unsigned staged_low_watermark = 32;
    unsigned staged_high_watermark = 96;
    /// Milliseconds for which frees may collect before the driver takes them from the threads.
    unsigned monitor_delay_ms = 5;
    /// The same when the backlog is at `backlog_hurry`.
    unsigned pressed_delay_ms = 1;
    /// Objects handed over and not freed yet at which the driver delays less, and at which producers are slowed down;
    /// the most milliseconds for which one call is. 0 is no limit.
    std::uint64_t backlog_hurry = std::uint64_t{8} * 1024;
    std::uint64_t backlog_throttle = std::uint64_t{128} * 1024;
    unsigned throttle_ms = 10;
    /// Milliseconds after which a grace period that waits for readers is reported, as Linux does by default
    /// (CONFIG_RCU_CPU_STALL_TIMEOUT); and between two reports of one kind that are printed.
    unsigned stall_timeout_ms = 21'000;
    unsigned stall_print_interval_ms = 5'000;
    /// The number from which grace periods count, not 0. Every process soon passes the largest 32-bit number, so that
    /// what confuses numbers there is found in tests, not after weeks; as Linux does, kernel/rcu/tree.c, with gp_seq.
    std::uint64_t first_grace_period = 0xffff'ff00;
};

}  // namespace quiesce
