#include "proofs/explorer/src/plan.hpp"

#include <utility>

namespace quiesce::explorer::detail {

namespace {

unsigned weight(verdict v) {
    switch (v) {
        case verdict::exhausted: return 0;
        case verdict::bounded:
        case verdict::timed_out: return 1;
        case verdict::violated: return 2;
        case verdict::nondeterministic:
        case verdict::engine_error: return 3;
    }
    return 3;
}

}  // namespace

void add(report& to, report&& from) {
    if (weight(from.verdict) > weight(to.verdict)) {
        to.verdict = from.verdict;
        to.violation = std::move(from.violation);
    }
    if (to.stopped_at.empty()) {
        to.stopped_at = std::move(from.stopped_at);
    }
    to.executions += from.executions;
    to.deadlocks += from.deadlocks;
    to.incomplete += from.incomplete;
    to.racy += from.racy;
    for (const auto& [outcome, n] : from.outcomes) {
        to.outcomes[outcome] += n;
    }
    for (const auto& [kind, n] : from.violations) {
        to.violations[kind] += n;
    }
}

bool is_final(const report& r, bool keep_going) {
    // The other parts would not end either.
    return weight(r.verdict) == 3 || (!keep_going && r.verdict != verdict::exhausted) ||
           r.stopped_at == "max_idle_seconds";
}

void write_report(text_writer& to, const report& r) {
    to << static_cast<unsigned>(r.verdict) << r.executions << r.deadlocks << r.incomplete << r.racy << r.violation.kind
       << r.violation.message << r.violation.trace << r.violation.graph << r.stopped_at << r.outcomes.size();
    for (const auto& [outcome, n] : r.outcomes) {
        to << outcome.size();
        for (const std::int64_t value : outcome) {
            to << value;
        }
        to << n;
    }
    to << r.violations.size();
    for (const auto& [kind, n] : r.violations) {
        to << kind << n;
    }
}

report read_report(text_reader& from) {
    report r;
    r.verdict = static_cast<verdict>(from.below<unsigned>(static_cast<unsigned>(verdict::engine_error) + 1));
    from >> r.executions >> r.deadlocks >> r.incomplete >> r.racy >> r.violation.kind >> r.violation.message >>
        r.violation.trace >> r.violation.graph >> r.stopped_at;
    std::uint64_t count = 0;
    for (from >> count; count != 0; --count) {
        std::vector<std::int64_t> outcome;
        std::uint64_t values = 0;
        for (from >> values; values != 0; --values) {
            std::int64_t value = 0;
            from >> value;
            outcome.push_back(value);
        }
        from >> r.outcomes[outcome];
    }
    for (from >> count; count != 0; --count) {
        std::string kind;
        from >> kind;
        from >> r.violations[kind];
    }
    return r;
}

}  // namespace quiesce::explorer::detail
