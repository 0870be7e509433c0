#include "tsan_tests/stress/core_instantiation.hpp"

namespace quiesce {

template class basic_rcu_domain<stress::stress_platform>;
template class detail::cache_core<stress::stress_platform>;
template class detail::staged_core<stress::stress_platform>;

}  // namespace quiesce
