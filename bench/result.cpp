#include "bench/result.hpp"

#include <algorithm>
#include <sstream>

namespace quiesce::bench {

std::optional<double> row::median() const {
    const std::optional<spread> s = spread_of(values);
    return s ? std::optional(s->median) : std::nullopt;
}

bool row::over_limit() const {
    // All of them: a limit of memory is a promise, not an average.
    const std::optional<spread> s = spread_of(values);
    return what.limit > 0 && s && s->max > what.limit;
}

std::optional<double> table::reference() const {
    for (const row& r : rows) {
        if (r.what.name == describe(about).reference) {
            return r.median();
        }
    }
    return std::nullopt;
}

std::optional<double> table::best_rival() const {
    std::optional<double> best;
    for (const row& r : rows) {
        if (const std::optional<double> m = r.median(); m && r.what.whose == side::rival) {
            best = std::min(best.value_or(*m), *m);
        }
    }
    return best;
}

std::vector<absent_library> absent_libraries() {
    std::vector<absent_library> all;
    std::istringstream words(BENCH_ABSENT);
    for (absent_library a; words >> a.name >> a.package;) {
        all.push_back(a);
    }
    return all;
}

}  // namespace quiesce::bench
