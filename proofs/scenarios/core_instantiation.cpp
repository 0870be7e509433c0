#include "proofs/scenarios/core_instantiation.hpp"

namespace quiesce {

template class basic_rcu_domain<models::explorer_platform>;
template class detail::cache_core<models::explorer_platform>;
template class detail::staged_core<models::explorer_platform>;

}  // namespace quiesce
