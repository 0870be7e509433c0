// Objects that retire themselves.
#pragma once

#include <memory>
#include <utility>

#include "quiesce/rcu_domain.hpp"

namespace quiesce {

/// A base class that gives T a `retire` member.
///
/// The deleter is kept in the object and runs on the domain's driver. Requires: T derives from this class exactly once
/// and D is default constructible, movable and callable with T*. Source: [saferecl.rcu.base] of C++26.
template <class T, class D, platform P>
class basic_rcu_obj_base : private basic_rcu_head<P> {
public:
    /// Deletes the object with `d` after a grace period of `domain`. Does not block or allocate. The object must be
    /// unlinked for new readers before the call, and retired once.
    void retire(basic_rcu_domain<P>& domain, D d = D()) {
        deleter_ = std::move(d);
        domain.retire(this, [](basic_rcu_head<P>* h) {
            auto* const self = static_cast<basic_rcu_obj_base*>(h);
            D deleter = std::move(self->deleter_);
            deleter(static_cast<T*>(self));
        });
    }

protected:
    basic_rcu_obj_base() = default;
    // A copy is a new object that is not retired.
    basic_rcu_obj_base(const basic_rcu_obj_base& other) : basic_rcu_head<P>(), deleter_(other.deleter_) {}
    basic_rcu_obj_base& operator=(const basic_rcu_obj_base& other) {
        deleter_ = other.deleter_;
        return *this;
    }
    ~basic_rcu_obj_base() = default;

private:
    [[no_unique_address]] D deleter_;
};

}  // namespace quiesce
