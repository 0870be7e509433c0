// What a rival registers and what the program runs: the only thing that the two know of each other.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace quiesce::bench {

/// The tables that are printed, in this order.
enum class group : std::uint8_t { read_side, free_later, free_later_two_threads, barrier, flood };

/// Whose row it is. A floor does less than what the table is about, so nothing is compared with it.
enum class side : std::uint8_t { ours, rival, floor };

/// How much work one sample does.
struct workload {
    std::uint64_t sections = 20'000'000;
    /// For each thread that frees. Enough that the pauses of liburcu's thread, 10 ms each, weigh little.
    std::uint64_t objects = 2'000'000;
    /// Of a flood.
    double seconds = 2;
};

struct sample {
    /// In the unit of the group.
    double value = 0;
    /// Processor time of all threads in the same unit; 0 where it says nothing.
    double processor = 0;
    std::string note;
};

struct measurement {
    group in;
    std::string name;
    side whose;
    /// Runs in a process of its own and throws when the work was not done as it must be.
    sample (*run)(const workload&);
    /// The most that the value may be; 0 for no limit. Never a time, which would fail on a busy machine.
    double limit = 0;
};

struct group_description {
    group in;
    std::string_view key;
    std::string_view title;
    std::string_view unit;
    int decimals;
    /// The row that the ratios of the table refer to.
    std::string_view reference;
};

const std::vector<group_description>& groups();
const group_description& describe(group g);

/// "barrier/liburcu rcu_barrier": what --filter looks at.
std::string key_of(const measurement& m);

/// In the order of the tables: by group, then ours before the rivals before the floors.
std::vector<measurement> all_measurements();

/// A namespace-scope object of this type in the rival's file is all that adding a measurement takes.
class registration {
public:
    registration(group in, std::string_view name, side whose, sample (*run)(const workload&), double limit = 0);
};

}  // namespace quiesce::bench
