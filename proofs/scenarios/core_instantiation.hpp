// The core is instantiated once for the explorer's platform.
#pragma once

#include "proofs/scenarios/platform.hpp"
#include "quiesce/basic_staged_cache.hpp"
#include "quiesce/rcu_domain.hpp"

namespace quiesce {

extern template class basic_rcu_domain<models::explorer_platform>;
extern template class detail::cache_core<models::explorer_platform>;
extern template class detail::staged_core<models::explorer_platform>;

}  // namespace quiesce
