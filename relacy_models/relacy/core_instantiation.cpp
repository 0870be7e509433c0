#include "relacy_models/relacy/core_instantiation.hpp"

namespace quiesce {

template class basic_rcu_domain<models::relacy_platform>;
template class detail::cache_core<models::relacy_platform>;
template class detail::staged_core<models::relacy_platform>;

}  // namespace quiesce
