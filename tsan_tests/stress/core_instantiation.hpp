// The core is instantiated once for the stress platform.
#pragma once

#include "quiesce/basic_staged_cache.hpp"
#include "quiesce/rcu_domain.hpp"
#include "tsan_tests/stress/stress_platform.hpp"

namespace quiesce {

extern template class basic_rcu_domain<stress::stress_platform>;
extern template class detail::cache_core<stress::stress_platform>;
extern template class detail::staged_core<stress::stress_platform>;

}  // namespace quiesce
