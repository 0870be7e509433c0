// Fibers: stacks between which the processor is switched without the system's help.
#pragma once

#include <cstddef>

namespace quiesce::explorer::detail {

/// Saves the callee-saved registers and the stack pointer to `*from`, and continues where `to` was saved.
extern "C" void quiesce_explorer_switch(void** from, void* to);

/// What `quiesce_explorer_switch` needs to begin `entry()` on a stack that ends below `top`. `entry` must not return.
void* prepare_stack(void* top, void (*entry)());

}  // namespace quiesce::explorer::detail
