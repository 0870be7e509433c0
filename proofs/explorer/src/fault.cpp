#include "proofs/explorer/src/fault.hpp"

#include <ucontext.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <mutex>
#include <string>

#include "proofs/explorer/src/engine.hpp"

namespace quiesce::explorer::detail {

namespace {

// The process's, whoever explores in it.
std::mutex guards_actions;
unsigned users = 0;
struct sigaction actions_before[std::size(fault_handlers::signals)] = {};

// The program does not go on where it stopped but in the engine, outside the handler, on the thread's own stack.
void on_signal(int signal, siginfo_t* info, void* context) {
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
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
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

void engine::report_fault() {
    const event_id last = g().of(self_).last;
    const std::string where =
        " by thread " + std::to_string(self_) +
        (fibers_[self_].replayed == 0 || last == no_event ? "" : " after " + place_of(g().at(last).asked));
    switch (fault_signal_) {
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
