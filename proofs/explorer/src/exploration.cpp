#include "proofs/explorer/src/exploration.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <new>
#include <system_error>
#include <utility>

#include "proofs/explorer/src/checkpoint.hpp"
#include "proofs/explorer/src/environment.hpp"

namespace quiesce::explorer::detail {

exploration::exploration(const std::function<void()>& program, const options& how)
    : program_(program), how_(how), began_(clock::now()), next_save_(how.checkpoint_seconds) {}

report exploration::run() {
    if (!how_.replay.empty()) {
        return replay();
    }
    if (how_.search != search::exhaustive && (how_.jobs > 1 || !how_.checkpoint.empty())) {
        throw impossible_options("only the exhaustive search has jobs and a checkpoint");
    }
    if (how_.search == search::pct && how_.bound == 0) {
        throw impossible_options("the search pct needs a bound of at least 1");
    }
    plan_.emplace_back();
    if (!how_.checkpoint.empty()) {
        if (std::optional<saved_plan> saved = load_checkpoint(how_)) {
            plan_ = std::move(saved->plan);
            seconds_before_ = saved->seconds;
        }
    }
    const std::optional<verdict> stopped = how_.search != search::exhaustive ? search_orders()
                                           : how_.jobs > 1                   ? search_with_jobs()
                                                                             : search_here();
    report total;
    for (part& p : plan_) {
        if (p.state == part::status::done && !is_final(total, how_.keep_going)) {
            add(total, std::move(p.report));
        }
    }
    if (stopped && total.stopped_at.empty()) {
        total.stopped_at = *stopped == verdict::timed_out ? "max_seconds" : "max_executions";
    }
    if (stopped && total.verdict == verdict::exhausted) {
        total.verdict = *stopped;
    }
    // What did not go on from the file, or not rightly, leaves it.
    const bool failed = total.verdict == verdict::engine_error || total.verdict == verdict::nondeterministic;
    if (!how_.checkpoint.empty() && !stopped && !failed) {
        remove_checkpoint(how_);
    }
    total.seconds = seconds();
    return total;
}

report exploration::replay() {
    options one = how_;
    one.keep_going = false;
    one.search = search::exhaustive;
    engine e(program_, one, names_);
    try {
        e.replay(how_.replay);
    } catch (const damaged_text&) {
        e.report().verdict = verdict::engine_error;
        e.report().violation = {"damaged graph", "what is to be replayed is not the graph of a violation", "", ""};
    }
    if (e.report().verdict == verdict::exhausted) {
        e.report().verdict = verdict::nondeterministic;
        e.report().violation = {"nondeterministic program", "the execution does not fail again", "", ""};
    }
    return std::move(e.report());
}

std::optional<verdict> exploration::search_here() {
    engine e(program_, how_, names_);
    // Of the parts before.
    std::uint64_t complete = 0;
    std::uint64_t others = 0;
    for (auto p = plan_.begin(); p != plan_.end(); ++p) {
        std::optional<verdict> stopped;
        if (p->state != part::status::done) {
            unsigned runs = 0;
            (void)e.explore(p->subtree, [&] {
                const report& r = e.report();
                if (how_.max_executions != 0 && complete + r.executions >= how_.max_executions) {
                    stopped = verdict::bounded;
                } else if (++runs % 256 == 0) {
                    if (tell_progress(complete + others + r.executions + r.deadlocks + r.incomplete)) {
                        stopped = verdict::timed_out;
                    } else if (is_time_to_save()) {
                        save(with_rest(plan_, p, r, e.untried()));
                    }
                }
                return !stopped;
            });
            std::vector<std::string> untried;
            if (stopped && !e.is_decided()) {
                untried = e.untried();
                // Of what was not tried nothing may be an execution. With a file, the next run finds that out.
                if (how_.checkpoint.empty() && *stopped == verdict::bounded && !e.has_another()) {
                    untried.clear();
                }
            }
            const report done = std::exchange(e.report(), {});
            if (stopped && !e.is_decided() && (!untried.empty() || std::next(p) != plan_.end())) {
                plan_ = with_rest(plan_, p, done, untried);
                save(plan_);
                return stopped;
            }
            p->state = part::status::done;
            p->report = done;
        }
        complete += p->report.executions;
        others += p->report.deadlocks + p->report.incomplete;
        if (is_final(p->report, how_.keep_going)) {
            break;
        }
    }
    return std::nullopt;
}

std::optional<verdict> exploration::search_orders() {
    engine e(program_, how_, names_);
    const bool is_random = how_.search == search::pct || how_.search == search::random_walk;
    const std::uint64_t most =
        how_.max_executions == 0 && how_.max_seconds <= 0 && is_random ? 10'000 : how_.max_executions;
    std::optional<verdict> stopped;
    std::uint64_t runs = 0;
    (void)e.explore_orders([&] {
        const report& r = e.report();
        ++runs;
        // A random search counts its runs: none may be complete.
        if (most != 0 && (is_random ? runs : r.executions) >= most) {
            stopped = verdict::bounded;
        } else if (runs % 256 == 0 && tell_progress(r.executions + r.deadlocks + r.incomplete)) {
            stopped = verdict::timed_out;
        }
        return !stopped;
    });
    plan_.front().state = part::status::done;
    plan_.front().report = std::move(e.report());
    return stopped;
}

plan exploration::with_rest(const plan& whole, plan::const_iterator p, const report& done,
                            const std::vector<std::string>& untried) {
    plan all;
    for (auto q = whole.begin(); q != whole.end(); ++q) {
        if (q != p) {
            all.push_back(*q);
            continue;
        }
        all.push_back({part::status::done, {}, done});
        for (const std::string& subtree : untried) {
            all.push_back({part::status::to_do, subtree, {}});
        }
    }
    return all;
}

bool exploration::tell_progress(std::uint64_t executions) {
    const double now = seconds_of_this_run();
    if (how_.progress && now >= next_progress_) {
        progress p{.executions = executions, .seconds = seconds()};
        if (how_.search == search::exhaustive) {
            estimate(p);
        }
        how_.progress(p);
        next_progress_ = seconds_of_this_run() + 0.5;
    }
    return how_.max_seconds > 0 && now >= how_.max_seconds;
}

void exploration::estimate(progress& p) {
    constexpr double budget = 0.02;
    if (descents_ == nullptr) {
        options quiet = how_;
        quiet.each_execution = {};
        descents_ = std::make_unique<engine>(program_, quiet, names_);
    }
    for (const double end = seconds_of_this_run() + budget; seconds_of_this_run() < end;) {
        const double found = descents_->probe(random_);
        ++descents_done_;
        hits_ += found != 0 ? 1U : 0U;
        const double distance = found - mean_;
        mean_ += distance / descents_done_;
        spread_ += distance * (found - mean_);
    }
    // So few say nothing.
    if (hits_ < 20) {
        return;
    }
    const double error = std::sqrt(spread_ / descents_done_ / std::max(descents_done_ - 1, 1.0));
    const auto so_far = static_cast<double>(p.executions);
    p.estimate = std::max(mean_, so_far);
    p.at_least = std::max(mean_ - 1.645 * error, so_far);
    p.at_most = std::max(mean_ + 1.645 * error, so_far);
}

bool exploration::is_time_to_save() {
    return !how_.checkpoint.empty() && seconds_of_this_run() >= next_save_;
}

void exploration::save(const plan& p) {
    if (!how_.checkpoint.empty()) {
        save_checkpoint(how_, {p, seconds()});
        next_save_ = seconds_of_this_run() + how_.checkpoint_seconds;
    }
}

}  // namespace quiesce::explorer::detail

namespace quiesce::explorer {

report explore(const std::function<void()>& program, const options& how) {
    const auto refuses = [](const char* kind, const char* message) {
        report r;
        r.verdict = verdict::engine_error;
        r.violation = {kind, message, "", ""};
        return r;
    };
    if (detail::engine::runs_program) {
        detail::refuse("a program that is explored explores another one");
    }
    try {
        options adjusted = how;
        detail::set_from_environment(adjusted);
        return detail::exploration(program, adjusted).run();
    } catch (const detail::bad_environment& e) {
        return refuses("environment", e.what());
    } catch (const detail::checkpoint_error& e) {
        return refuses("checkpoint", e.what());
    } catch (const detail::damaged_text&) {
        return refuses("checkpoint", "the checkpoint is not one of this program");
    } catch (const detail::impossible_options& e) {
        return refuses("options", e.what());
    } catch (const detail::job_error& e) {
        return refuses("lost job", e.what());
    } catch (const std::bad_alloc&) {
        return refuses("memory", "there is not enough memory to explore in");
    } catch (const std::system_error& e) {
        return refuses("system", e.what());
    }
}

}  // namespace quiesce::explorer
