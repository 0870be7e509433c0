#include "tools/quiesce/engine_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <list>
#include <system_error>
#include <utility>

#include "tools/quiesce/protocol.hpp"

namespace quiesce::frontend {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t longest_line = 4u << 20;
constexpr std::size_t longest_stderr_tail = 64u << 10;
// One talkative process must not keep the loop to itself; what an ended one left behind is read whole, and a pipe
// holds less than this.
constexpr int blocks_per_step = 16;
constexpr int blocks_at_end = 4096;
constexpr int poll_milliseconds = 100;
// A process that closed its output is about to end, but closing and ending are not one step.
constexpr int poll_milliseconds_at_end = 2;

class descriptor {
public:
    descriptor() = default;
    explicit descriptor(int fd) : fd_(fd) {}
    descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~descriptor() { close(); }

    void close() {
        if (fd_ >= 0) {
            ::close(std::exchange(fd_, -1));
        }
    }
    int get() const { return fd_; }
    bool is_open() const { return fd_ >= 0; }

private:
    int fd_ = -1;
};

struct pipe_ends {
    descriptor read;
    descriptor write;
};

pipe_ends make_pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw std::system_error(errno, std::generic_category(), "pipe2");
    }
    return {descriptor(ends[0]), descriptor(ends[1])};
}

[[noreturn]] void become(char* const* arguments, int out, int err, int failure, pid_t parent) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // The parent may have died before the line above took effect.
    if (getppid() != parent) {
        _exit(127);
    }
    const int null = open("/dev/null", O_RDONLY);
    if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 && dup2(err, STDERR_FILENO) >= 0) {
        execv(arguments[0], arguments);
    }
    const int reason = errno;
    [[maybe_unused]] const ssize_t written = write(failure, &reason, sizeof reason);
    _exit(127);
}

class process {
public:
    process(const process_task& task, clock::time_point now) : task_(&task), last_line_(now) {
        pipe_ends out = make_pipe();
        pipe_ends err = make_pipe();
        pipe_ends failure = make_pipe();
        std::vector<std::string> words = task.command;
        std::vector<char*> arguments;
        arguments.reserve(words.size() + 1);
        for (std::string& word : words) {
            arguments.push_back(word.data());
        }
        arguments.push_back(nullptr);
        const pid_t parent = getpid();
        pid_ = fork();
        if (pid_ < 0) {
            end_.how = ending::not_started;
            end_.why = std::strerror(errno);
            return;
        }
        if (pid_ == 0) {
            become(arguments.data(), out.write.get(), err.write.get(), failure.write.get(), parent);
        }
        // Both sides set the group: whichever runs first, it exists before anybody kills it.
        setpgid(pid_, pid_);
        failure.write.close();
        int reason = 0;
        ssize_t count = 0;
        do {
            count = read(failure.read.get(), &reason, sizeof reason);
        } while (count < 0 && errno == EINTR);
        if (count == sizeof reason) {
            end_.how = ending::not_started;
            end_.why = std::strerror(reason);
            reap();
            return;
        }
        out_ = std::move(out.read);
        err_ = std::move(err.read);
        fcntl(out_.get(), F_SETFL, O_NONBLOCK);
        fcntl(err_.get(), F_SETFL, O_NONBLOCK);
    }

    process(const process&) = delete;
    process& operator=(const process&) = delete;
    ~process() { reap(); }

    bool alive() const { return pid_ > 0; }
    const process_task& task() const { return *task_; }
    const process_end& end() const { return end_; }
    bool output_ended() const { return !out_.is_open() && !err_.is_open(); }

    void add_to(std::vector<pollfd>& waiting) const {
        for (const descriptor* d : {&out_, &err_}) {
            if (d->is_open()) {
                waiting.push_back({d->get(), POLLIN, 0});
            }
        }
    }

    /// Reads what there is, and notices an ended or silent process.
    void step(clock::time_point now, double silence_seconds) {
        siginfo_t info{};
        // Looked at before reading: what an ended process wrote is in the pipes already. Not reaped yet, so that its
        // process group cannot have been given to somebody else when it is killed.
        const bool ended =
            waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_;
        const int blocks = ended ? blocks_at_end : blocks_per_step;
        if (ended) {
            // Left-over members of the group must not go on filling the pipes.
            kill(-pid_, SIGKILL);
        }
        try {
            read_stderr(blocks);
            read_stdout(blocks, now);
        } catch (const protocol_error& e) {
            finish(ending::rejected, 0, e.what());
            return;
        }
        if (ended) {
            end_.unfinished_line = !buffer_.empty();
            finish(info.si_code == CLD_EXITED ? ending::exited : ending::signalled, info.si_status, "");
        } else if (std::chrono::duration<double>(now - last_line_).count() > silence_seconds) {
            finish(ending::silent, 0, "");
        }
    }

    void stop() { finish(ending::stopped, 0, ""); }

private:
    void finish(ending how, int code, std::string why) {
        end_.how = how;
        end_.code = code;
        end_.why = std::move(why);
        reap();
    }

    void reap() {
        if (pid_ > 0) {
            kill(-pid_, SIGKILL);
            while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
            }
            pid_ = -1;
        }
    }

    template <class Sink>
    static void drain(descriptor& from, int blocks, Sink sink) {
        std::array<char, 16384> block{};
        while (from.is_open() && blocks-- > 0) {
            const ssize_t count = read(from.get(), block.data(), block.size());
            if (count > 0) {
                sink(std::string_view(block.data(), static_cast<std::size_t>(count)));
            } else if (count < 0 && errno == EAGAIN) {
                return;
            } else if (count == 0 || errno != EINTR) {
                from.close();
            }
        }
    }

    void read_stderr(int blocks) {
        drain(err_, blocks, [this](std::string_view block) {
            end_.stderr_tail += block;
            if (end_.stderr_tail.size() > 2 * longest_stderr_tail) {
                end_.stderr_tail.erase(0, end_.stderr_tail.size() - longest_stderr_tail);
            }
        });
    }

    void read_stdout(int blocks, clock::time_point now) {
        drain(out_, blocks, [this, now](std::string_view block) {
            buffer_ += block;
            std::size_t begin = 0;
            for (std::size_t newline = 0; (newline = buffer_.find('\n', begin)) != std::string::npos;
                 begin = newline + 1) {
                last_line_ = now;
                task_->on_line(std::string_view(buffer_).substr(begin, newline - begin));
            }
            buffer_.erase(0, begin);
            if (buffer_.size() > longest_line) {
                throw protocol_error("a line that does not end");
            }
        });
    }

    const process_task* task_;
    clock::time_point last_line_;
    pid_t pid_ = -1;
    descriptor out_;
    descriptor err_;
    std::string buffer_;
    process_end end_;
};

}  // namespace

bool run_processes(const std::vector<process_task>& tasks, const process_limits& limits, const stop_request& stop,
                   const std::function<void()>& on_tick) {
    std::list<process> running;
    std::size_t next = 0;
    while (next < tasks.size() || !running.empty()) {
        if (stop.requested()) {
            for (process& p : running) {
                p.stop();
                p.task().on_end(p.end());
            }
            return false;
        }
        while (next < tasks.size() && running.size() < limits.at_once) {
            const process_task& task = tasks[next++];
            task.on_start();
            process& p = running.emplace_back(task, clock::now());
            if (!p.alive()) {
                task.on_end(p.end());
                running.pop_back();
            }
        }
        std::vector<pollfd> waiting{{stop.descriptor(), POLLIN, 0}};
        bool ending_soon = false;
        for (const process& p : running) {
            p.add_to(waiting);
            ending_soon = ending_soon || p.output_ended();
        }
        poll(waiting.data(), waiting.size(), ending_soon ? poll_milliseconds_at_end : poll_milliseconds);
        const clock::time_point now = clock::now();
        for (auto p = running.begin(); p != running.end();) {
            p->step(now, limits.silence_seconds);
            if (p->alive()) {
                ++p;
            } else {
                p->task().on_end(p->end());
                p = running.erase(p);
            }
        }
        on_tick();
    }
    return true;
}

}  // namespace quiesce::frontend
