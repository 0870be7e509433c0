// The growing array with the native platform. The problem, an example and the guarantees stand in
// quiesce/basic_rcu_array.hpp.
#pragma once

#include "quiesce/basic_rcu_array.hpp"
#include "quiesce/rcu.hpp"

namespace quiesce {

/// See basic_rcu_array. T is a pointer, a number, or what else std::atomic holds without a lock.
template <class T, platform P = native_platform>
class rcu_array : public basic_rcu_array<T, P> {
    static_assert(std::atomic<T>::is_always_lock_free);

public:
    explicit rcu_array(basic_rcu_domain<P>& domain = rcu_default_domain()) : basic_rcu_array<T, P>(domain) {}
};

}  // namespace quiesce
