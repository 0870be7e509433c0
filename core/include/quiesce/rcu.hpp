// Read-copy update with the names of the C++26 header <rcu>: the native instantiation of the core.
// The problem, an example and the guarantees stand in quiesce/rcu_domain.hpp.
#pragma once

#include <atomic>
#include <memory>

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
    rcu_domain* const built = native::default_domain.load(std::memory_order_acquire);
    return built != nullptr ? *built : native::build_default_domain();
}

template <class T, class D = std::default_delete<T>>
class rcu_obj_base : public basic_rcu_obj_base<T, D, native_platform> {
public:
    void retire(D d = D(), rcu_domain& domain = rcu_default_domain()) {
        basic_rcu_obj_base<T, D, native_platform>::retire(domain, std::move(d));
    }
};

/// See basic_rcu_domain::synchronize.
template <platform P = native_platform>
void rcu_synchronize(basic_rcu_domain<P>& domain = rcu_default_domain()) {
    domain.synchronize();
}

/// See basic_rcu_domain::barrier: waits for callbacks queued before the call; it does not wait for `free_rcu`.
template <platform P = native_platform>
void rcu_barrier(basic_rcu_domain<P>& domain = rcu_default_domain()) {
    domain.barrier();
}

/// See basic_rcu_domain::flush_all: everything that is pending is done when it returns. For the end of a program, which
/// waits for nothing otherwise.
template <platform P = native_platform>
void flush_all(basic_rcu_domain<P>& domain = rcu_default_domain()) {
    domain.flush_all();
}

/// Retires an object that carries no head: allocates a node to hold it. Throws std::bad_alloc, and then the object is
/// not retired. Otherwise as basic_rcu_obj_base::retire.
template <class T, class D = std::default_delete<T>, platform P = native_platform>
void rcu_retire(T* object, D d = D(), basic_rcu_domain<P>& domain = rcu_default_domain()) {
    struct holder : basic_rcu_head<P> {
        holder(T* o, D&& d) : object(o), deleter(std::move(d)) {}
        T* object;
        [[no_unique_address]] D deleter;
    };
    domain.retire(new holder(object, std::move(d)), [](basic_rcu_head<P>* h) {
        const std::unique_ptr<holder> self(static_cast<holder*>(h));
        self->deleter(self->object);
    });
}

}  // namespace quiesce
