#include "bench/clocks.hpp"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <stdexcept>
#include <string>

namespace quiesce::bench {

namespace {

std::int64_t now(clockid_t clock) {
    timespec t{};
    clock_gettime(clock, &t);
    return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

std::uint64_t kilobytes(const std::string& file, const std::string& field) {
    std::ifstream lines(file);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(field + ":")) {
            return std::stoull(line.substr(field.size() + 1)) * 1024;
        }
    }
    throw std::runtime_error(file + " has no field " + field);
}

}  // namespace

stopwatch::stopwatch() : wall_(now(CLOCK_MONOTONIC)), processor_(now(CLOCK_PROCESS_CPUTIME_ID)) {}

elapsed stopwatch::read() const {
    return {static_cast<double>(now(CLOCK_MONOTONIC) - wall_),
            static_cast<double>(now(CLOCK_PROCESS_CPUTIME_ID) - processor_)};
}

std::uint64_t resident_bytes() {
    return kilobytes("/proc/self/status", "VmRSS");
}

std::uint64_t peak_resident_bytes() {
    return kilobytes("/proc/self/status", "VmHWM");
}

std::uint64_t flood_limit_bytes() {
    return std::min<std::uint64_t>(4'000'000'000, kilobytes("/proc/meminfo", "MemAvailable") / 2);
}

}  // namespace quiesce::bench
