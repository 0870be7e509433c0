// Every size that a protocol depends on, in one type.
#pragma once

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
    /// Milliseconds for which frees may collect before the driver takes them from the threads.
    unsigned monitor_delay_ms = 5;
    /// Objects handed over and not freed yet at which the driver no longer delays, and at which producers are slowed
    /// down; the most milliseconds for which one call is.
    std::uint64_t backlog_hurry = 8 * 1024;
    std::uint64_t backlog_throttle = 128 * 1024;
    unsigned throttle_ms = 10;
};

}  // namespace quiesce
