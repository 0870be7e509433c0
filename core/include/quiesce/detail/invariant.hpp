// The numbered invariants of core/README.md, where the code asserts them.
#pragma once

#include <string_view>

#include "quiesce/platform.hpp"
#include "quiesce/report.hpp"

namespace quiesce::detail {

/// Reports a fault of the library if `holds()` is false. It is asked where misuse is looked for, so under every engine
/// and in checked builds, and is not even compiled into a call elsewhere. It may read only what its caller may read,
/// and no atomic: a load more would be another program to a model.
template <class P, class Holds>
void assert_invariant(std::string_view number, Holds holds) {
    if (P::checked() && !holds()) {
        P::report({misuse::broken_invariant, number});
    }
}

}  // namespace quiesce::detail
