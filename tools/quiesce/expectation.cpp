#include "tools/quiesce/expectation.hpp"

#include <algorithm>

namespace quiesce::frontend {

namespace {

bool contains(const std::vector<std::string>& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

bool accepted(const run& r) {
    const outcome& o = r.result;
    if (o.what == verdict::engine_error || o.what == verdict::interrupted) {
        return false;
    }
    return contains(r.asked.expect, o.what == verdict::violated ? std::string_view(o.finding) : name_of(o.what));
}

// What is right is right for every engine, also for one that did not look everywhere; a fault may be missed by such a
// one.
bool denies_violation(const run& r) {
    return r.result.what == verdict::exhausted ||
           (r.result.what == verdict::bounded && r.asked.case_name == r.scenario);
}

bool contradict(const run& a, const run& b) {
    // Sizes are compared too: a defect that needs two slots is rightly absent with one.
    return a.engine != b.engine && a.asked.case_name == b.asked.case_name && a.asked.size == b.asked.size &&
           ((a.result.what == verdict::violated && denies_violation(b)) ||
            (denies_violation(a) && b.result.what == verdict::violated));
}

}  // namespace

std::vector<std::string> accepted_outcomes(const plan_line& plan, bool is_defect, const overrides& o) {
    const bool overridden = o.search || o.iterations || o.seconds || o.seed;
    if (!is_defect && overridden) {
        std::vector<std::string> result{"exhausted", "bounded", "timed_out"};
        if (o.iterations || o.seconds) {
            result.emplace_back("unreached");
        }
        return result;
    }
    // A run that never got to its subject says nothing, whatever an engine's plan claims.
    std::vector<std::string> result;
    std::copy_if(plan.expect.begin(), plan.expect.end(), std::back_inserter(result),
                 [](const std::string& e) { return e != name_of(verdict::unreached); });
    return result;
}

void judge(std::vector<run>& runs) {
    for (run& r : runs) {
        r.as_expected = accepted(r);
        r.engines_disagree =
            std::any_of(runs.begin(), runs.end(), [&](const run& other) { return contradict(r, other); });
    }
}

tally count(const std::vector<run>& runs) {
    tally t;
    for (const run& r : runs) {
        if (r.result.what == verdict::interrupted) {
            ++t.interrupted;
        } else if (!r.as_expected) {
            ++t.failed;
        } else {
            ++t.passed;
            if (r.result.what == verdict::bounded || r.result.what == verdict::timed_out ||
                r.result.what == verdict::unreached) {
                ++t.stopped_at_limit;
            }
        }
    }
    return t;
}

}  // namespace quiesce::frontend
