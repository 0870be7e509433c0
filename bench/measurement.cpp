#include "bench/measurement.hpp"

#include <algorithm>
#include <iterator>

namespace quiesce::bench {

namespace {

// A function's static, because the registrations of other files may be initialised before this file.
std::vector<measurement>& registered() {
    static std::vector<measurement> all;
    return all;
}

}  // namespace

const std::vector<group_description>& groups() {
    static const std::vector<group_description> all{
        {group::read_side, "read_side", "Read-side section, entered and left", "ns", 2, "liburcu memb"},
        {group::free_later, "free_later", "64-byte object allocated and freed after a grace period, one thread", "ns",
         1, "liburcu call_rcu + malloc"},
        {group::free_later_two_threads, "free_later_two_threads",
         "64-byte object allocated and freed after a grace period, two threads", "ns", 1, "liburcu call_rcu + malloc"},
        {group::barrier, "barrier", "Barrier after 1,000 deferred frees", "us", 1, "liburcu rcu_barrier"},
        {group::flood, "flood", "Peak memory of the process while one thread frees as fast as it can", "MB", 1,
         "liburcu call_rcu + malloc"},
    };
    return all;
}

const group_description& describe(group g) {
    return groups()[static_cast<std::size_t>(g)];
}

std::string key_of(const measurement& m) {
    return std::string(describe(m.in).key) + "/" + m.name;
}

std::vector<measurement> all_measurements() {
    std::vector<measurement> all;
    for (const group_description& about : groups()) {
        for (const side whose : {side::ours, side::rival, side::floor}) {
            std::copy_if(registered().begin(), registered().end(), std::back_inserter(all),
                         [&](const measurement& m) { return m.in == about.in && m.whose == whose; });
        }
    }
    return all;
}

registration::registration(group in, std::string_view name, side whose, sample (*run)(const workload&), double limit) {
    registered().push_back({in, std::string(name), whose, run, limit});
}

}  // namespace quiesce::bench
