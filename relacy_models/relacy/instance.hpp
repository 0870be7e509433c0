// What would be static in a platform, for one run of one scenario under Relacy. Free of allocation: Relacy replaces
// the global operator new, and what is allocated inside a run must be freed inside it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "quiesce/defect.hpp"
#include "quiesce/limits.hpp"
#include "relacy_models/model_thread_slot.hpp"
#include "relacy_models/reached_labels.hpp"

namespace quiesce::models::relacy {

inline constexpr unsigned max_threads = 4;
/// The index of the code that runs alone, before and after the threads.
inline constexpr unsigned alone = max_threads;

struct parked_thread {
    const void* cell;
    int thread;
};

struct named_object {
    const void* begin;
    std::size_t bytes;
    const char* text;
};

struct instance {
    // Kept over the iterations of a run.
    limits sizes;
    defect seeded = defect::none;
    reached_labels reached;
    std::array<named_object, 48> names{};
    // Reset for every iteration.
    bool threads_run = false;
    std::array<bool, max_threads + 1> allocations_may_fail{};
    std::array<unsigned, max_threads + 1> shard{};
    std::array<std::uint64_t, max_threads + 1> clock{};
    slot_list slots;
    std::array<parked_thread, max_threads> parked{};

    void begin_iteration() {
        threads_run = false;
        allocations_may_fail = {};
        shard = {};
        clock = {};
        slots = {};
        parked = {};
        names = {};
        reached.begin_execution();
    }

    void name(const void* begin, std::size_t bytes, const char* text) {
        for (named_object& n : names) {
            if (n.text == nullptr || n.begin == begin) {
                n = {begin, bytes, text};
                return;
            }
        }
    }
};

extern instance current;

}  // namespace quiesce::models::relacy
