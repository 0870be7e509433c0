// What would be static in a platform, for one run of one scenario under Relacy. Free of allocation: Relacy replaces
// the global operator new, and what is allocated inside a run must be freed inside it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "quiesce/defect.hpp"
#include "quiesce/limits.hpp"

namespace quiesce::models::relacy {

inline constexpr unsigned max_threads = 4;
/// The index of the code that runs alone, before and after the threads.
inline constexpr unsigned alone = max_threads;

struct slot_hooks {
    void* slot;
    void (*exits)(void* slot, unsigned thread);
    bool (*busy)(void* slot, unsigned thread);
};

struct parked_thread {
    const void* cell;
    int thread;
};

struct named_object {
    const void* begin;
    std::size_t bytes;
    const char* text;
};

struct reached_label {
    std::string_view label;
    std::uint64_t executions;
    bool in_this_one;
};

struct instance {
    // Kept over the iterations of a run.
    limits sizes;
    defect seeded = defect::none;
    std::array<reached_label, 8> reached{};
    std::array<named_object, 48> names{};
    // Reset for every iteration.
    bool threads_run = false;
    std::array<bool, max_threads + 1> allocations_may_fail{};
    std::array<unsigned, max_threads + 1> shard{};
    std::array<slot_hooks, 16> hooks{};
    std::array<parked_thread, max_threads> parked{};

    void begin_iteration() {
        threads_run = false;
        allocations_may_fail = {};
        shard = {};
        hooks = {};
        parked = {};
        names = {};
        for (reached_label& r : reached) {
            r.in_this_one = false;
        }
    }

    void reach(std::string_view label) {
        for (reached_label& r : reached) {
            if (r.label == label || r.label.empty()) {
                r.label = label;
                r.executions += r.in_this_one ? 0 : 1;
                r.in_this_one = true;
                return;
            }
        }
    }

    void name(const void* begin, std::size_t bytes, const char* text) {
        for (named_object& n : names) {
            if (n.text == nullptr || n.begin == begin) {
                n = {begin, bytes, text};
                return;
            }
        }
    }

    void exit_thread(unsigned thread) {
        for (const slot_hooks& h : hooks) {
            if (h.slot != nullptr) {
                h.exits(h.slot, thread);
            }
        }
    }

    bool is_busy(unsigned thread) const {
        for (const slot_hooks& h : hooks) {
            if (h.slot != nullptr && h.busy(h.slot, thread)) {
                return true;
            }
        }
        return false;
    }
};

extern instance current;

}  // namespace quiesce::models::relacy
