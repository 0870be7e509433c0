// What the program's exit status says.
#pragma once

namespace quiesce::frontend {

enum exit_code : int {
    exit_as_expected = 0,
    exit_unexpected = 1,
    exit_wrong_usage = 2,
    exit_stopped_at_limit = 3,
    exit_interrupted = 130,
};

}  // namespace quiesce::frontend
