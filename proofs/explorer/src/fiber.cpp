#include "proofs/explorer/src/fiber.hpp"

#include <cstdint>

#if !defined(__x86_64__)
#error "the explorer's fibers are written for x86-64"
#endif

// System V ABI: rbx, rbp, r12 to r15, the x87 control word and the SSE control bits belong to the caller.
asm(R"(
.text
.globl quiesce_explorer_switch
.type quiesce_explorer_switch, @function
.align 16
quiesce_explorer_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    subq $8, %rsp
    stmxcsr (%rsp)
    fnstcw 4(%rsp)
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    ldmxcsr (%rsp)
    fldcw 4(%rsp)
    addq $8, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size quiesce_explorer_switch, .-quiesce_explorer_switch
)");

namespace quiesce::explorer::detail {

void* prepare_stack(void* top, void (*entry)()) {
    struct frame {
        std::uint32_t mxcsr;
        std::uint16_t control;
        std::uint16_t padding;
        std::uint64_t registers[6];
        void (*entry)();
        // As if `entry` had been called: its return address, which also aligns the stack.
        std::uint64_t nowhere;
    };
    const auto end = reinterpret_cast<std::uintptr_t>(top) & ~std::uintptr_t{15};
    auto* const f = reinterpret_cast<frame*>(end - sizeof(frame));
    *f = {};
    asm volatile("stmxcsr %0" : "=m"(f->mxcsr));
    asm volatile("fnstcw %0" : "=m"(f->control));
    f->entry = entry;
    return f;
}

}  // namespace quiesce::explorer::detail
