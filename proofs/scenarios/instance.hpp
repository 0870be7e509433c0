// What would be static in a platform, for the scenarios that the explorer runs.
#pragma once

#include <quiesce/explorer.hpp>

#include <array>
#include <cstdint>
#include <string_view>

#include "quiesce/defect.hpp"
#include "quiesce/limits.hpp"

namespace quiesce::models::proofs {

/// The scenario's threads and, as the first, the code that runs alone before and after them.
inline constexpr unsigned max_threads = 8;

/// For a whole exploration.
struct run_settings {
    limits sizes;
    defect seeded = defect::none;
};
inline run_settings settings;

struct slot_hooks {
    void* slot = nullptr;
    void (*exits)(void* slot, unsigned thread) = nullptr;
    bool (*busy)(void* slot, unsigned thread) = nullptr;
};

/// For one execution.
struct instance {
    std::array<bool, max_threads> allocations_may_fail{};
    std::array<unsigned, max_threads> shard{};
    std::array<slot_hooks, 32> hooks{};

    void add_slot(const slot_hooks& slot) {
        for (slot_hooks& h : hooks) {
            if (h.slot == nullptr) {
                h = slot;
                return;
            }
        }
        explorer::check(false, "the platform has no more thread slots");
    }
    void remove_slot(void* slot) {
        for (slot_hooks& h : hooks) {
            if (h.slot == slot) {
                h = {};
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
inline instance* current = nullptr;

inline unsigned this_thread() {
    return explorer::this_thread::number();
}

/// Notes that an execution came to a situation of its scenario.
void reach(std::string_view label);

}  // namespace quiesce::models::proofs
