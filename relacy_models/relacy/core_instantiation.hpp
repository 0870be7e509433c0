// The core is instantiated once for the Relacy platform.
#pragma once

#include "quiesce/basic_staged_cache.hpp"
#include "quiesce/rcu_domain.hpp"
#include "relacy_models/relacy/platform.hpp"

namespace quiesce {

extern template class basic_rcu_domain<models::relacy_platform>;
extern template class detail::cache_core<models::relacy_platform>;
extern template class detail::staged_core<models::relacy_platform>;

}  // namespace quiesce
