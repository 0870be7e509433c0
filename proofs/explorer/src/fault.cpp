#include "proofs/explorer/src/fault.hpp"

#include <link.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <mutex>
#include <sstream>
#include <string>

#include "proofs/explorer/src/engine.hpp"

namespace quiesce::explorer::detail {

namespace {

// The process's, whoever explores in it.
std::mutex guards_actions;
unsigned users = 0;
struct sigaction actions_before[std::size(fault_handlers::signals)] = {};

// Where the C library's code is. Who is stopped in there may have its locks.
struct code_range {
    std::uintptr_t begins = 0;
    std::uintptr_t ends = 0;
};
const code_range& c_library() {
    static const code_range found = [] {
        code_range r;
        ::dl_iterate_phdr(
            [](dl_phdr_info* info, std::size_t, void* result) {
                const auto wanted = reinterpret_cast<std::uintptr_t>(&::sigaction);
                for (int i = 0; i != info->dlpi_phnum; ++i) {
                    const auto& segment = info->dlpi_phdr[i];
                    const std::uintptr_t begins = info->dlpi_addr + segment.p_vaddr;
                    if (segment.p_type == PT_LOAD && wanted - begins < segment.p_memsz) {
                        *static_cast<code_range*>(result) = {begins, begins + segment.p_memsz};
                        return 1;
                    }
                }
                return 0;
            },
            &r);
        return r;
    }();
    return found;
}

constexpr std::int64_t nanoseconds = 1'000'000'000;

itimerspec every(double seconds) {
    const auto n = static_cast<std::int64_t>(seconds * static_cast<double>(nanoseconds));
    const timespec t = {n / nanoseconds, n % nanoseconds};
    return {t, t};
}

// Returns whether the program is to be stopped where it is.
bool is_idle_too_long(const siginfo_t& info, std::uintptr_t where) {
    engine& e = *engine::current;
    if (!e.is_idle_too_long()) {
        return false;
    }
    // It comes back out of there, or else this is where it stays.
    const code_range& library = c_library();
    constexpr unsigned most_tries = 200;
    if (where - library.begins >= library.ends - library.begins || e.stops_refused() == most_tries) {
        return true;
    }
    const itimerspec soon = every(0.001);
    ::timer_settime(*static_cast<timer_t*>(info.si_value.sival_ptr), 0, &soon, nullptr);
    return false;
}

void on_signal(int signal, siginfo_t* info, void* context);

// Of others, to whom it goes on.
void pass_on(int signal, siginfo_t* info, void* context) {
    const struct sigaction& before = actions_before[std::size(actions_before) - 1];
    // In a process that was forked while others explored it may be ours.
    if ((before.sa_flags & SA_SIGINFO) != 0 && before.sa_sigaction == &on_signal) {
        return;
    }
    if ((before.sa_flags & SA_SIGINFO) != 0) {
        before.sa_sigaction(signal, info, context);
    } else if (before.sa_handler == SIG_DFL) {
        std::signal(signal, SIG_DFL);
        std::raise(signal);
    } else if (before.sa_handler != SIG_IGN) {
        before.sa_handler(signal);
    }
}

// The program does not go on where it stopped but in the engine, outside the handler, on the thread's own stack.
void on_signal(int signal, siginfo_t* info, void* context) {
    if (signal == idle_timer::signal) {
        if (info->si_code != SI_TIMER) {
            pass_on(signal, info, context);
            return;
        }
        const greg_t at = static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP];
        if (!engine::runs_program || !is_idle_too_long(*info, static_cast<std::uintptr_t>(at))) {
            return;
        }
    }
    if (!engine::runs_program) {
        // Not the program's: again, and this time without us.
        std::signal(signal, SIG_DFL);
        return;
    }
    engine& e = *engine::current;
    greg_t* const registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    // Of an abort or a division the address says nothing. What was read from freed memory is no address at all, so it
    // is not told: it is in a register.
    const bool poisoned = std::any_of(registers, registers + NGREG,
                                      [](greg_t r) { return address_space::is_poison(static_cast<std::uint64_t>(r)); });
    e.fault(signal, signal == SIGSEGV || signal == SIGBUS ? info->si_addr : nullptr, poisoned);
    // Below what the thread has on its stack, where others may look, and below its red zone; where nothing is left,
    // from the top.
    constexpr std::uintptr_t room = 32 * std::uintptr_t{1024};
    const auto top = reinterpret_cast<std::uintptr_t>(e.stack_top_of_self());
    const std::uintptr_t used = static_cast<std::uintptr_t>(registers[REG_RSP]) - 256;
    const bool is_room = used < top && top - used < address_space::stack_bytes - address_space::page_bytes - room;
    registers[REG_RSP] = static_cast<greg_t>(((is_room ? used : top) & ~std::uintptr_t{15}) - sizeof(void*));
    registers[REG_RIP] = reinterpret_cast<greg_t>(&engine::after_fault);
}

}  // namespace

// Four looks at least before the time is over.
idle_timer::idle_timer(double seconds) {
    sigset_t blocked;
    // Where the signal does not arrive it must not wait.
    if (seconds <= 0 || ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked) != 0 || sigismember(&blocked, signal) != 0) {
        return;
    }
    (void)c_library();
    sigevent event = {};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = signal;
    event.sigev_value.sival_ptr = &timer_;
    event._sigev_un._tid = ::gettid();
    // Without a timer a search may hang, no more.
    is_set_ = ::timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer_) == 0;
    if (is_set_) {
        const itimerspec looks = every(std::clamp(seconds / 4, 0.001, 1.0));
        ::timer_settime(timer_, 0, &looks, nullptr);
    }
}

idle_timer::~idle_timer() {
    if (is_set_) {
        ::timer_delete(timer_);
    }
}

fork_guard::fork_guard() {
    guards_actions.lock();
}

fork_guard::~fork_guard() {
    guards_actions.unlock();
}

void fork_guard::in_child() {
    // The threads that counted are not there.
    users = 0;
}

fault_handlers::fault_handlers() : stack_(new char[stack_bytes]) {
    stack_t mine = {};
    mine.ss_sp = stack_.get();
    mine.ss_size = stack_bytes;
    ::sigaltstack(&mine, &stack_before_);
    const std::lock_guard hold(guards_actions);
    if (users++ != 0) {
        return;
    }
    struct sigaction action = {};
    action.sa_sigaction = &on_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigemptyset(&action.sa_mask);
    for (std::size_t i = 0; i != std::size(signals); ++i) {
        ::sigaction(signals[i], &action, &actions_before[i]);
    }
}

fault_handlers::~fault_handlers() {
    ::sigaltstack(&stack_before_, nullptr);
    const std::lock_guard hold(guards_actions);
    for (std::size_t i = 0; users == 1 && i != std::size(signals); ++i) {
        ::sigaction(signals[i], &actions_before[i], nullptr);
    }
    --users;
}

void engine::fault(int signal, void* address, bool poisoned) {
    runs_program = false;
    fault_signal_ = signal;
    fault_address_ = address;
    fault_poisoned_ = poisoned;
}

void engine::after_fault() {
    current->report_fault();
}

// Called by a signal handler, so it takes nothing but what is there.
bool engine::is_idle_too_long() {
    timespec now = {};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    const double seconds = static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
    const moment here = {run_, self_, fibers_[self_].replayed};
    if (!(here == idle_since_)) {
        idle_since_ = here;
        idle_from_ = seconds;
        stops_refused_ = 0;
    }
    return seconds - idle_from_ >= how_.max_idle_seconds;
}

void engine::report_fault() {
    const event_id done = last_done();
    const std::string last = done == no_event ? "" : place_of(g().at(done).asked);
    const bool has_last = done != no_event && g().at(done).kind != event_kind::start;
    const std::string where = " by thread " + std::to_string(self_) + (has_last ? " after " + last : "");
    switch (fault_signal_) {
        case idle_timer::signal: {
            std::ostringstream text;
            text << "thread " << self_ << " has run for " << how_.max_idle_seconds
                 << " s without an operation of the explorer, " << (has_last ? "the last at " + last : "not even one")
                 << "; a loop that waits should be an await of an explorer::atomic";
            exceeds("max_idle_seconds", text.str());
        }
        case SIGABRT: violate("abort", "the program is aborted" + where);
        case SIGFPE: violate("arithmetic error", "what cannot be computed is" + where);
        case SIGILL: violate("illegal instruction", "an instruction is refused" + where);
        default: break;
    }
    if (memory_.overflown_stack(fault_address_) >= 0) {
        violate("stack overflow",
                "the stack of " + std::to_string(address_space::stack_bytes / 1024) + " KiB is used up" + where);
    }
    const address_space::block* const b = memory_.contains(fault_address_) && memory_.is_heap(fault_address_)
                                              ? memory_.block_at(fault_address_)
                                              : nullptr;
    if (b != nullptr && b->freed) {
        violate("use after free",
                "an object of " + std::to_string(b->bytes) + " bytes that was deleted is used" + where);
    }
    if (fault_poisoned_) {
        violate("use after free", "a pointer is followed that was read from freed memory" + where);
    }
    violate("segmentation fault", "memory is used that is not the program's" + where);
}

}  // namespace quiesce::explorer::detail
