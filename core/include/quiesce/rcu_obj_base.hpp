// Objects that retire themselves.
#pragma once

#include <type_traits>
#include <utility>

#include "quiesce/rcu_domain.hpp"

namespace quiesce {

namespace detail {

/// The head of an object that can be copied. A copy is another object, which is not retired; and a copy reads nothing
/// here, so a reader may copy an object while another thread retires it.
template <platform P>
struct uncopied_head : basic_rcu_head<P> {
    uncopied_head() = default;
    uncopied_head(const uncopied_head&) noexcept : basic_rcu_head<P>() {}
    uncopied_head& operator=(const uncopied_head&) noexcept { return *this; }
    ~uncopied_head() = default;
};

}  // namespace detail

/// A base class that gives T a `retire` member.
///
/// The deleter is kept in the object and runs on the domain's driver. Requires: T derives from this class exactly once,
/// not virtually, and D is default constructible, move assignable and callable with T*. Source: [saferecl.rcu.base] of
/// C++26.
template <class T, class D, platform P>
class basic_rcu_obj_base {
public:
    /// Deletes the object with `d` after a grace period of `domain`. Does not block, allocate or throw; `d` must not
    /// throw when it is moved. The object must be unlinked for new readers before the call, and retired once.
    void retire(basic_rcu_domain<P>& domain, D&& d) noexcept {
        quiesce_link_.deleter = std::move(d);
        domain.retire_surely(&quiesce_link_, &grace_period_over);
    }

protected:
    basic_rcu_obj_base() = default;
    basic_rcu_obj_base(const basic_rcu_obj_base&) = default;
    basic_rcu_obj_base(basic_rcu_obj_base&&) = default;
    basic_rcu_obj_base& operator=(const basic_rcu_obj_base&) = default;
    basic_rcu_obj_base& operator=(basic_rcu_obj_base&&) = default;
    ~basic_rcu_obj_base() = default;

private:
    struct link : detail::uncopied_head<P> {
        [[no_unique_address]] D deleter;
    };

    static void grace_period_over(basic_rcu_head<P>* h) {
        auto* const l = static_cast<link*>(h);
        // The link is all that this class has, so it begins where the class does.
        static_assert(sizeof(basic_rcu_obj_base) == sizeof(link));
        T* const object = static_cast<T*>(reinterpret_cast<basic_rcu_obj_base*>(l));
        if constexpr (std::is_nothrow_move_constructible_v<D>) {
            // Out of the object, so that it may use what it holds after it has deleted the object.
            D deleter = std::move(l->deleter);
            deleter(object);
        } else {
            l->deleter(object);
        }
    }

    // A member, not a base class: its names would be found in T.
    link quiesce_link_;
};

}  // namespace quiesce
