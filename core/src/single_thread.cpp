#include "quiesce/single_thread.hpp"

namespace quiesce {

template class basic_rcu_domain<native_single_thread_platform>;
template class detail::cache_core<native_single_thread_platform>;
template class detail::staged_core<native_single_thread_platform>;

}  // namespace quiesce
