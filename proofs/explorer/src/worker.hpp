// A process of a search that several share: what it is told and says, and what it does.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "proofs/explorer/src/engine.hpp"

namespace quiesce::explorer::detail {

enum class message_kind : std::uint8_t {
    explore,   ///< to a worker: a subtree
    resume,    ///< to a worker that is paused
    given,     ///< from a worker: a subtree that follows what it has
    paused,    ///< from a worker: what it found so far and what it has not tried
    finished,  ///< from a worker: what it found
};

struct message {
    message_kind kind = message_kind::finished;
    std::string text;
};

/// Both return false when the other side is gone.
bool send(int to, message_kind kind, const std::string& text);
bool receive(int from, message& m);

constexpr unsigned max_jobs = 256;

// What all processes see.
struct shared_state {
    /// How many have nothing to do.
    std::atomic<int> hungry;
    std::atomic<bool> pause;
    struct alignas(64) slot {
        std::atomic<std::uint64_t> executions;
        std::atomic<std::uint64_t> complete;
    } of[max_jobs];
};

/// Explores what it is told, until the other side is gone.
[[noreturn]] void work(engine& e, int socket, shared_state& all, unsigned index);

}  // namespace quiesce::explorer::detail
