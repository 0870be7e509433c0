// Every size that a protocol depends on, in one type.
#pragma once

namespace quiesce {

/// Sizes of the core's structures. The product uses the defaults; model platforms replace them per run, because sizes
/// of one hide wrap-around and full-queue paths.
struct limits {
    /// Callback queues per domain. A thread uses the one of the CPU that it runs on.
    unsigned shards = 16;
    /// Callbacks that one reclaim step runs before it looks at the next shard.
    unsigned callbacks_per_step = 1024;
};

}  // namespace quiesce
