// An engine's main function. The engine is this and the scenarios that are linked into it.
#pragma once

namespace quiesce::models::relacy {

/// Speaks the engine protocol (docs/engine_protocol.md) under that name. Returns what main returns.
int engine_main(const char* name, int argc, char** argv);

}  // namespace quiesce::models::relacy
