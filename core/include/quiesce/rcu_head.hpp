// What an object carries so that it can be retired without an allocation.
#pragma once

#include <cstdint>

#include "quiesce/detail/fifo_list.hpp"
#include "quiesce/platform.hpp"

namespace quiesce {

/// The embedded part of an object that can be retired to a domain: a link and the callback to run.
/// Between retirement and the callback it belongs to the domain.
template <platform P>
struct basic_rcu_head {
    using callback = void (*)(basic_rcu_head*);

    typename P::template plain<basic_rcu_head*> next{nullptr};
    /// Null unless the object is retired.
    typename P::template plain<callback> function{nullptr};
};

namespace detail {

template <class P>
using head_list = fifo_list<basic_rcu_head<P>>;

}  // namespace detail
}  // namespace quiesce
