// Each sample is taken in a process of its own: no library inherits another's heap, threads or peak of memory, and one
// that crashes costs its own row only.
#pragma once

#include <stdexcept>

#include "bench/measurement.hpp"

namespace quiesce::bench {

/// Its text says what went wrong in the other process.
struct sample_failed : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Starts this program once more, waits for it, and returns what it measured. Throws sample_failed.
sample sample_in_own_process(const measurement& m, const workload& work);

/// What that process does: measures, and prints the sample. Returns its exit status.
int print_sample(const measurement& m, const workload& work);

}  // namespace quiesce::bench
