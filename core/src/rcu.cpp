#include "quiesce/rcu.hpp"

#include <cstdlib>
#include <new>

namespace quiesce {

template class basic_rcu_domain<native_platform>;

rcu_domain& rcu_default_domain() noexcept {
    // Never destroyed, but its driver stops at exit, so that no callback runs beside the destructors of statics.
    static rcu_domain& domain = []() -> rcu_domain& {
        alignas(rcu_domain) static std::byte storage[sizeof(rcu_domain)];
        auto* const built = ::new (static_cast<void*>(storage)) rcu_domain();
        std::atexit([] { rcu_default_domain().stop_driver(); });
        return *built;
    }();
    return domain;
}

}  // namespace quiesce
