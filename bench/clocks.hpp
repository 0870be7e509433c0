// Time, and the memory of this process.
#pragma once

#include <cstdint>

namespace quiesce::bench {

struct elapsed {
    double wall_ns = 0;
    /// Of all threads of the process.
    double processor_ns = 0;
};

class stopwatch {
public:
    stopwatch();
    elapsed read() const;

private:
    std::int64_t wall_;
    std::int64_t processor_;
};

/// Resident now and at most since the process started, in bytes.
std::uint64_t resident_bytes();
std::uint64_t peak_resident_bytes();

/// What a flood may use before it is stopped: half of what the machine has free, at most 4 GB.
std::uint64_t flood_limit_bytes();

}  // namespace quiesce::bench
