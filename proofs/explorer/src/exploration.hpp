// One call of `explore`: where the search goes on from, who does it, and when it stops.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <quiesce/explorer/explore.hpp>
#include "proofs/explorer/src/engine.hpp"
#include "proofs/explorer/src/plan.hpp"

namespace quiesce::explorer::detail {

/// Says in a sentence which options do not go together.
struct impossible_options : std::runtime_error {
    using std::runtime_error::runtime_error;
};
/// A process of the search is gone.
struct job_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class exploration {
public:
    exploration(const std::function<void()>& program, const options& how);

    /// Throws checkpoint_error, job_error, and std::system_error where no process can be made.
    report run();

private:
    using clock = std::chrono::steady_clock;

    report replay();
    /// Each returns what stopped the search before it was through, and leaves the plan as it is then.
    std::optional<verdict> search_here();
    std::optional<verdict> search_with_jobs();
    std::optional<verdict> search_orders();
    /// For a short while; sets the estimate and its range.
    void estimate(progress& p);
    /// The plan with a part replaced by what was done of it and what was not tried.
    static plan with_rest(const plan& whole, plan::const_iterator p, const report& done,
                          const std::vector<std::string>& untried);
    /// At most twice a second; returns whether the time is over.
    bool tell_progress(std::uint64_t executions);
    /// Writes the plan if there is a file for it and it is time to.
    bool is_time_to_save();
    void save(const plan& p);
    double seconds() const { return seconds_before_ + seconds_of_this_run(); }
    double seconds_of_this_run() const { return std::chrono::duration<double>(clock::now() - began_).count(); }

    const std::function<void()>& program_;
    const options& how_;
    const clock::time_point began_;
    double seconds_before_ = 0;
    double next_progress_ = 0.5;
    double next_save_ = 0;
    thread_names names_;
    plan plan_;

    // Of the random descents so far.
    std::unique_ptr<engine> descents_;
    std::mt19937_64 random_{1};
    double descents_done_ = 0;
    /// Those that came to an execution.
    unsigned hits_ = 0;
    double mean_ = 0;
    /// The sum of the squares of the distances from the mean.
    double spread_ = 0;
};

}  // namespace quiesce::explorer::detail
