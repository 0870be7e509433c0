// What a scenario is, whatever engine runs it.
//
// A scenario states one property of a protocol and is written once, as a class template over the platform, which has:
//
// - `static constexpr scenario_info info`;
// - a constructor: the set-up, alone;
// - `void thread(unsigned i)`: run by info.threads threads at the same time;
// - `void finish()`: alone again, after all threads have ended.
//
// examples/own_protocol has one that stands by itself.
//
// The platform of a scenario offers, beside what the core needs: `check(condition, message)`, `reached(label)` for the
// situations that the scenario is about, `move_to_shard(n)`, `let_time_pass(milliseconds)` for the clock of the calling
// thread, and `name(object, text)` for traces.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "quiesce/defect.hpp"
#include "quiesce/limits.hpp"

namespace quiesce::models {

/// A defect of a scenario's protocol and what an engine must say of it.
struct defect_info {
    defect seeded;
    /// The fault's name; the defect's is `<scenario>__<fault>`.
    std::string_view fault;
    /// A short identifier for tables; empty for a fault that is not in the project's list.
    std::string_view id;
    /// The findings that count as the catch, separated by blanks.
    std::string_view expect;
    std::string_view source;
    /// The fault in one sentence.
    std::string_view sentence;
    /// The sizes at which it is a fault at all, separated by blanks: with one shard, for example, none can be missed.
    std::string_view sizes = "1 2 asym";
    /// The engines that can tell it from the correct protocol, separated by blanks; empty for all. Relacy continues a
    /// release sequence through a later store of the same thread, and its light fences are full ones.
    std::string_view engines = {};
};

struct scenario_info {
    std::string_view name;
    std::string_view property;
    std::string_view contract;
    unsigned threads;
    std::span<const defect_info> defects;
    /// What at least one execution must reach, for a run to count.
    std::span<const std::string_view> must_reach;
    /// Whether it is small enough for a search without reduction to exhaust it within seconds.
    bool small = false;
    /// Otherwise: with how many preemptions that search is through within seconds; 0 when only a random one is.
    unsigned preemptions = 2;
    /// The sizes that it runs with, separated by blanks; empty for all. What uses nothing of the core needs only one.
    std::string_view sizes = {};
    /// Whether the threads of a model exit, and hand on what they keep, only when all are through: for what is large
    /// and not about that.
    bool exits_last = false;
    /// Whether that search takes long at sizes above the smallest, and is made there only when it is asked for.
    bool large_is_deep = false;
};

struct named_limits {
    std::string_view name;
    limits sizes;
};

/// The sizes that a scenario runs with unless it names some of them: the smallest, where nothing wraps, and one where
/// two of them differ. The backlog of deferred frees, and the reserve for when there is no memory, are for the
/// scenarios that are about them: they multiply what an exhaustive search goes through.
inline constexpr std::array<named_limits, 3> model_sizes{{
    {"1",
     {.shards = 1,
      .callbacks_per_step = 1,
      .free_block_entries = 1,
      .free_batches = 1,
      .spare_blocks = 0,
      .reserve_blocks = 0,
      .refill_backoff = 0,
      .address_parts = 1,
      .slab_bytes = 4096,
      .slab_objects = 1,
      .spare_slabs = 0,
      .magazine_objects = 1,
      .depot_magazines = 0,
      .staged_low_watermark = 1,
      .staged_high_watermark = 1,
      .backlog_hurry = 0,
      .backlog_throttle = 0,
      .first_grace_period = 1}},
    {"2",
     {.shards = 2,
      .callbacks_per_step = 2,
      .free_block_entries = 2,
      .free_batches = 2,
      .spare_blocks = 1,
      .reserve_blocks = 0,
      .refill_backoff = 0,
      .address_parts = 1,
      .slab_bytes = 4096,
      .slab_objects = 2,
      .spare_slabs = 1,
      .magazine_objects = 2,
      .depot_magazines = 1,
      .staged_low_watermark = 1,
      .staged_high_watermark = 3,
      .backlog_hurry = 0,
      .backlog_throttle = 0,
      .first_grace_period = 1}},
    {"asym",
     {.shards = 2,
      .callbacks_per_step = 1,
      .free_block_entries = 1,
      .free_batches = 2,
      .spare_blocks = 1,
      .reserve_blocks = 0,
      .refill_backoff = 0,
      .address_parts = 1,
      .slab_bytes = 4096,
      .slab_objects = 2,
      .spare_slabs = 0,
      .magazine_objects = 1,
      .depot_magazines = 1,
      .staged_low_watermark = 2,
      .staged_high_watermark = 2,
      .backlog_hurry = 0,
      .backlog_throttle = 0,
      .first_grace_period = 1}},
}};

}  // namespace quiesce::models
