// staged_cache: the native instantiation. The problem, an example and the guarantees stand in
// quiesce/basic_staged_cache.hpp.
#pragma once

#include "quiesce/basic_staged_cache.hpp"
#include "quiesce/rcu.hpp"

namespace quiesce {

using staged_cache = basic_staged_cache<native_platform>;
using staged_cache_token = basic_staged_token<native_platform>;
extern template class detail::staged_core<native_platform>;

}  // namespace quiesce
