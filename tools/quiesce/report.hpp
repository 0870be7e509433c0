// A check as the reports see it.
#pragma once

#include <vector>

#include "tools/quiesce/engines.hpp"
#include "tools/quiesce/options.hpp"
#include "tools/quiesce/run.hpp"

namespace quiesce::frontend {

struct report {
    const options& asked;
    const std::vector<engine>& engines;
    const std::vector<run>& runs;
    bool interrupted = false;
};

}  // namespace quiesce::frontend
