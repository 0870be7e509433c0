// Several processes search one tree: each has a part, and gives away what it would come to last when another one has
// nothing to do. What is given away follows its giver in the plan, so the plan stays in the order of one process.
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <iterator>
#include <new>
#include <string>
#include <system_error>
#include <utility>

#include "proofs/explorer/src/exploration.hpp"
#include "proofs/explorer/src/fault.hpp"
#include "proofs/explorer/src/worker.hpp"

namespace quiesce::explorer::detail {

namespace {

struct worker {
    pid_t process = -1;
    int socket = -1;
    bool busy = false;
    plan::iterator has;
    /// What it said when it paused.
    std::string paused;
};

[[noreturn]] void fails(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

pid_t fork_alone() {
    const fork_guard alone;
    const pid_t process = ::fork();
    if (process == 0) {
        fork_guard::in_child();
    }
    return process;
}

// The processes of one search. They end with it.
class workers {
public:
    workers(const std::function<void()>& program, const options& how, thread_names& names) {
        try {
            start(program, how, names);
        } catch (...) {
            stop();
            throw;
        }
    }
    workers(const workers&) = delete;
    workers& operator=(const workers&) = delete;
    ~workers() { stop(); }

    shared_state& shared() { return *shared_; }
    shared_state::slot& slot_of(const worker& w) const { return shared_->of[&w - all.data()]; }

    std::vector<worker> all;

private:
    void start(const std::function<void()>& program, const options& how, thread_names& names) {
        void* const memory =
            ::mmap(nullptr, sizeof(shared_state), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) {
            fails("no memory for the jobs");
        }
        shared_ = ::new (memory) shared_state{};
        // What is still in the buffers is written once.
        std::fflush(nullptr);
        const pid_t parent = ::getpid();
        for (unsigned i = 0; i != std::min(how.jobs, max_jobs); ++i) {
            int ends[2];
            if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
                fails("no socket for a job");
            }
            const pid_t process = fork_alone();
            if (process < 0) {
                ::close(ends[0]);
                ::close(ends[1]);
                fails("no process for a job");
            }
            if (process == 0) {
                // A parent that is killed takes its jobs with it.
                (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (::getppid() != parent) {
                    ::_exit(0);
                }
                for (const worker& other : all) {
                    ::close(other.socket);
                }
                ::close(ends[0]);
                engine e(program, how, names);
                work(e, ends[1], *shared_, i);
            }
            ::close(ends[1]);
            worker& w = all.emplace_back();
            w.process = process;
            w.socket = ends[0];
        }
    }
    void stop() {
        for (const worker& w : all) {
            ::close(w.socket);
            if (w.process > 0) {
                ::kill(w.process, SIGKILL);
                while (::waitpid(w.process, nullptr, 0) < 0 && errno == EINTR) {
                }
            }
        }
        if (shared_ != nullptr) {
            ::munmap(shared_, sizeof *shared_);
        }
    }

    shared_state* shared_ = nullptr;
};

// The search as the parent sees it.
class dispatcher {
public:
    dispatcher(plan& p, bool keep_going, workers& w) : plan_(p), keep_going_(keep_going), workers_(w) {
        for (const part& done : plan_) {
            count(done.report);
        }
    }

    /// Whether nothing is left that matters.
    bool is_through() const {
        for (const part& p : plan_) {
            if (p.state != part::status::done) {
                return false;
            }
            if (is_final(p.report, keep_going_)) {
                break;
            }
        }
        return true;
    }

    /// Gives parts to those that have none.
    void hand_out() {
        const auto matters = [this](const part& p) {
            return p.state == part::status::done && is_final(p.report, keep_going_);
        };
        const auto end = std::find_if(plan_.begin(), plan_.end(), matters);
        auto next = plan_.begin();
        int hungry = 0;
        for (worker& w : workers_.all) {
            if (w.busy) {
                continue;
            }
            next = std::find_if(next, end, [](const part& p) { return p.state == part::status::to_do; });
            if (next == end) {
                ++hungry;
                continue;
            }
            next->state = part::status::under_way;
            w.has = next;
            w.busy = true;
            if (!send(w.socket, message_kind::explore, std::exchange(next->subtree, {}))) {
                is_gone(w);
            }
        }
        workers_.shared().hungry.store(hungry);
    }

    /// Waits a little for what they say.
    void listen() {
        std::vector<pollfd> sockets;
        sockets.reserve(workers_.all.size());
        for (const worker& w : workers_.all) {
            sockets.push_back({w.socket, POLLIN, 0});
        }
        if (::poll(sockets.data(), sockets.size(), 50) <= 0) {
            return;
        }
        for (std::size_t i = 0; i != sockets.size(); ++i) {
            if (sockets[i].revents != 0) {
                take(workers_.all[i]);
            }
        }
    }

    std::uint64_t complete() const {
        std::uint64_t n = complete_;
        for (const worker& w : workers_.all) {
            n += workers_.slot_of(w).complete.load(std::memory_order_relaxed);
        }
        return n;
    }
    std::uint64_t executions() const {
        std::uint64_t n = executions_;
        for (const worker& w : workers_.all) {
            n += workers_.slot_of(w).executions.load(std::memory_order_relaxed);
        }
        return n;
    }

    /// The plan with what each has done and has not tried. Until they are resumed, they wait.
    plan pause() {
        workers_.shared().pause.store(true);
        for (worker& w : workers_.all) {
            while (w.busy && w.paused.empty()) {
                take(w);
            }
        }
        workers_.shared().pause.store(false);
        plan whole;
        for (auto p = plan_.begin(); p != plan_.end(); ++p) {
            if (p->state != part::status::under_way) {
                whole.push_back(*p);
                continue;
            }
            const auto w = std::find_if(workers_.all.begin(), workers_.all.end(),
                                        [&](const worker& x) { return x.busy && x.has == p; });
            text_reader from(w->paused);
            whole.push_back({part::status::done, {}, read_report(from)});
            std::size_t untried = 0;
            for (from >> untried; untried != 0; --untried) {
                part& rest = whole.emplace_back();
                from >> rest.subtree;
            }
        }
        return whole;
    }
    void resume() {
        for (worker& w : workers_.all) {
            if (!w.paused.empty()) {
                w.paused.clear();
                if (!send(w.socket, message_kind::resume, {})) {
                    is_gone(w);
                }
            }
        }
    }

private:
    void count(const report& r) {
        complete_ += r.executions;
        executions_ += r.executions + r.deadlocks + r.incomplete;
    }

    void take(worker& w) {
        message m;
        if (!receive(w.socket, m)) {
            is_gone(w);
        }
        switch (m.kind) {
            case message_kind::given:
                plan_.insert(std::next(w.has), {part::status::to_do, std::move(m.text), {}});
                break;
            case message_kind::paused: w.paused = std::move(m.text); break;
            case message_kind::finished: {
                text_reader from(m.text);
                w.has->report = read_report(from);
                w.has->state = part::status::done;
                count(w.has->report);
                w.busy = false;
                workers_.slot_of(w).complete.store(0);
                workers_.slot_of(w).executions.store(0);
                break;
            }
            default: is_gone(w);
        }
    }

    [[noreturn]] static void is_gone(worker& w) {
        // Its end of the socket is closed, so it has ended or is about to.
        int how = 0;
        while (::waitpid(w.process, &how, 0) < 0 && errno == EINTR) {
        }
        w.process = -1;
        throw job_error("a process of the search ended before it was through" +
                        (WIFSIGNALED(how) ? ", by signal " + std::to_string(WTERMSIG(how)) : std::string()));
    }

    plan& plan_;
    const bool keep_going_;
    workers& workers_;
    /// In the parts that are done.
    std::uint64_t complete_ = 0;
    std::uint64_t executions_ = 0;
};

}  // namespace

std::optional<verdict> exploration::search_with_jobs() {
    workers processes(program_, how_, names_);
    dispatcher search(plan_, how_.keep_going, processes);
    while (!search.is_through()) {
        search.hand_out();
        search.listen();
        std::optional<verdict> stopped;
        if (tell_progress(search.executions())) {
            stopped = verdict::timed_out;
        } else if (how_.max_executions != 0 && search.complete() >= how_.max_executions) {
            stopped = verdict::bounded;
        }
        if (stopped || is_time_to_save()) {
            const plan now = search.pause();
            if (stopped && !search.is_through()) {
                plan_ = now;
                save(plan_);
                return stopped;
            }
            save(now);
            search.resume();
        }
    }
    return std::nullopt;
}

}  // namespace quiesce::explorer::detail
