#include "tools/quiesce/run_loop.hpp"

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <list>
#include <optional>
#include <system_error>

#include "tools/quiesce/engines.hpp"
#include "tools/quiesce/expectation.hpp"

namespace quiesce::frontend {

namespace {

namespace fs = std::filesystem;
using clock = std::chrono::steady_clock;

// One run while its engine is at work.
class attempt {
public:
    attempt(run& r, const process_limits& limits, progress& shown) : run_(r), limits_(limits), shown_(shown) {}

    void start() {
        // What an earlier check left behind must not pass for evidence of this one.
        std::error_code ignored;
        fs::remove(run_.trace, ignored);
        fs::remove(run_.stderr_tail, ignored);
        begin_ = clock::now();
        shown_.started(run_);
    }

    void hear(std::string_view line) {
        protocol_line said = parse_line(line);
        if (const auto* p = std::get_if<progress_line>(&said)) {
            iterations_ = p->iterations;
            shown_.advanced(run_, *p);
        } else if (auto* r = std::get_if<result_line>(&said)) {
            if (answer_) {
                throw protocol_error("a second result");
            }
            if (r->case_name != run_.asked.case_name || r->search != run_.asked.search || r->size != run_.asked.size) {
                throw protocol_error("the result of another run");
            }
            answer_ = std::move(*r);
        } else {
            throw protocol_error("a description where a result was asked for");
        }
    }

    void finish(const process_end& end) {
        outcome& o = run_.result;
        o.iterations = answer_ ? answer_->iterations : iterations_;
        o.seconds = answer_ ? answer_->seconds : std::chrono::duration<double>(clock::now() - begin_).count();
        if (end.how == ending::stopped) {
            o.what = verdict::interrupted;
            return;
        }
        // An engine that fails after its result may have failed before it was done; only a clean end counts.
        if (end.how == ending::exited && end.code == 0 && !end.unfinished_line && answer_) {
            o.what = answer_->what;
            o.finding = answer_->finding;
            o.message = answer_->message;
            o.reached = answer_->reached;
        } else {
            o.what = verdict::engine_error;
            o.message = sentence_about(run_.engine, end, limits_, answer_.has_value());
        }
        if (o.what == verdict::engine_error) {
            keep_stderr(run_, end.stderr_tail);
        }
        std::error_code ignored;
        o.trace_written = fs::is_regular_file(run_.trace, ignored);
        // The marks of a single run; disagreement is only known at the end.
        std::vector<run> alone{run_};
        judge(alone);
        run_.as_expected = alone.front().as_expected;
        shown_.finished(run_);
    }

private:
    run& run_;
    const process_limits& limits_;
    progress& shown_;
    clock::time_point begin_{};
    std::uint64_t iterations_ = 0;
    std::optional<result_line> answer_;
};

std::vector<std::string> command_for(const run& r) {
    std::vector<std::string> command{r.executable.string(),
                                     "--run",
                                     r.asked.case_name,
                                     "--search",
                                     r.asked.search,
                                     "--size",
                                     r.asked.size,
                                     "--iterations",
                                     std::to_string(r.asked.iterations),
                                     "--seed",
                                     std::to_string(r.asked.seed),
                                     "--bound",
                                     std::to_string(r.asked.bound)};
    if (r.asked.seconds > 0) {
        command.insert(command.end(), {"--time", fmt::format("{}", r.asked.seconds)});
    }
    command.insert(command.end(), {"--trace", r.trace.string()});
    return command;
}

}  // namespace

void keep_stderr(run& r, const std::string& tail) {
    if (!tail.empty()) {
        std::ofstream file(r.stderr_tail, std::ios::binary);
        file << tail;
        file.close();
        r.result.stderr_kept = file.good();
    }
}

bool carry_out(std::vector<run>& runs, const process_limits& limits, const stop_request& stop, progress& shown) {
    std::list<attempt> attempts;
    std::vector<process_task> tasks;
    for (run& r : runs) {
        if (r.result.what != verdict::interrupted) {
            shown.finished(r);
            continue;
        }
        attempt& a = attempts.emplace_back(r, limits, shown);
        tasks.push_back({command_for(r), [&a] { a.start(); }, [&a](std::string_view line) { a.hear(line); },
                         [&a](const process_end& end) { a.finish(end); }});
    }
    const bool completed = run_processes(tasks, limits, stop, [&shown] { shown.redraw(); });
    shown.clear();
    judge(runs);
    return completed;
}

}  // namespace quiesce::frontend
