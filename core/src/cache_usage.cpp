// The listing of caches, for people.
#include "quiesce/cache_options.hpp"

namespace quiesce {

std::string describe(const cache_usage& usage) {
    std::string line = usage.name;
    line += usage.staged ? ": staged, " : ": ";
    line += usage.pending ? "pending (in flight: " : "open (in flight: ";
    line += std::to_string(usage.in_flight);
    line += ", quarantined: ";
    line += std::to_string(usage.quarantined);
    line += usage.pending ? ", held: " : ", in use: ";
    line += std::to_string(usage.in_use);
    line += "), ";
    line += std::to_string(usage.slabs);
    line += usage.slabs == 1 ? " slab, " : " slabs, ";
    line += std::to_string(usage.bytes);
    line += " bytes";
    return line;
}

}  // namespace quiesce
