// Read-copy update with the names of the C++26 header <rcu>: the native instantiation of the core.
// The problem, an example and the guarantees stand in quiesce/rcu_domain.hpp.
#pragma once

#include <atomic>
#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

#include "quiesce/native_platform.hpp"
#include "quiesce/rcu_domain.hpp"
#include "quiesce/rcu_obj_base.hpp"

namespace quiesce {

static_assert(platform<native_platform>);

using rcu_domain = basic_rcu_domain<native_platform>;
using rcu_head = basic_rcu_head<native_platform>;
extern template class basic_rcu_domain<native_platform>;

namespace native {

extern constinit std::atomic<rcu_domain*> default_domain;
rcu_domain& build_default_domain() noexcept;

}  // namespace native

/// The domain that is used where none is named. It is built on first use and never destroyed, so destructors that run
/// at process exit may still retire objects; those are not waited for.
inline rcu_domain& rcu_default_domain() noexcept {
    // [dom.1] acquire pairs with [dom.2].
    rcu_domain* const built = native::default_domain.load(std::memory_order_acquire);
    return built != nullptr ? *built : native::build_default_domain();
}

template <class T, class D = std::default_delete<T>>
class rcu_obj_base;

namespace detail {

// Of a type with several such base classes, none is deduced; of one that is not public, no pointer is made.
template <class T, class D>
T* only_rcu_base(rcu_obj_base<T, D>*);

template <class T, class D>
concept rcu_protectable = requires(T* object, rcu_obj_base<T, D>* base) {
    { detail::only_rcu_base(object) } -> std::same_as<T*>;
    static_cast<T*>(base);  // not for a virtual base class
};

}  // namespace detail

/// A base class that gives T a `retire` member. A copy of an object is not retired, whether the object is or not. See
/// basic_rcu_obj_base.
template <class T, class D>
class rcu_obj_base : public basic_rcu_obj_base<T, D, native_platform> {
public:
    /// See basic_rcu_obj_base::retire. Where the domain's driver cannot be started, a later call starts it.
    void retire(D d = D(), rcu_domain& domain = rcu_default_domain()) noexcept {
        static_assert(
            detail::rcu_protectable<T, D>,
            "retire: T must have one base class rcu_obj_base<T, D>, public and not virtual, and no other one");
        basic_rcu_obj_base<T, D, native_platform>::retire(domain, std::move(d));
    }

protected:
    rcu_obj_base() = default;
    rcu_obj_base(const rcu_obj_base&) = default;
    rcu_obj_base(rcu_obj_base&&) = default;
    rcu_obj_base& operator=(const rcu_obj_base&) = default;
    rcu_obj_base& operator=(rcu_obj_base&&) = default;
    ~rcu_obj_base() = default;
};

/// See basic_rcu_domain::synchronize.
template <platform P = native_platform>
void rcu_synchronize(basic_rcu_domain<P>& domain = rcu_default_domain()) noexcept {
    domain.synchronize();
}

/// See basic_rcu_domain::barrier: waits for callbacks queued before the call; it does not wait for `free_rcu`.
template <platform P = native_platform>
void rcu_barrier(basic_rcu_domain<P>& domain = rcu_default_domain()) noexcept {
    domain.barrier();
}

/// See basic_rcu_domain::flush_all: everything that is pending is done when it returns. For the end of a program, which
/// waits for nothing otherwise.
template <platform P = native_platform>
void flush_all(basic_rcu_domain<P>& domain = rcu_default_domain()) {
    domain.flush_all();
}

/// Retires an object that carries no head: `d(object)` is evaluated after a grace period, on the driver. Allocates a
/// node to hold both. Throws std::bad_alloc, or what moving `d` throws, and then the object is not retired. Otherwise
/// as basic_rcu_obj_base::retire.
template <class T, class D = std::default_delete<T>, platform P = native_platform>
void rcu_retire(T* object, D d = D(), basic_rcu_domain<P>& domain = rcu_default_domain()) {
    static_assert(std::is_move_constructible_v<D>, "rcu_retire: D must be move constructible");
    static_assert(
        requires(D & deleter, T * &p) { deleter(p); }, "rcu_retire: d(p) must be well-formed");
    struct holder : basic_rcu_head<P> {
        holder(T* o, D&& from) : object(o), deleter(std::move(from)) {}
        T* object;
        [[no_unique_address]] D deleter;
    };
    domain.retire_surely(new holder(object, std::move(d)), [](basic_rcu_head<P>* h) {
        const std::unique_ptr<holder> self(static_cast<holder*>(h));
        self->deleter(self->object);
    });
}

}  // namespace quiesce
