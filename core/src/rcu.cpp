#include "quiesce/object_cache.hpp"
#include "quiesce/staged_cache.hpp"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace quiesce {

template class basic_rcu_domain<native_platform>;
template class detail::cache_core<native_platform>;
template class detail::staged_core<native_platform>;

constinit std::atomic<rcu_domain*> native::default_domain{nullptr};

rcu_domain& native::build_default_domain() noexcept {
    // Never destroyed, but its driver stops at exit, so that no callback runs beside the destructors of statics.
    static rcu_domain& domain = []() -> rcu_domain& {
        alignas(rcu_domain) static std::byte storage[sizeof(rcu_domain)];
        auto* const built = ::new (static_cast<void*>(storage)) rcu_domain();
        stall_options reports = native::default_stall_options();
        reports.domain_name = "default";
        built->report_stalls(reports);
        std::atexit([] { rcu_default_domain().stop_driver(); });
        // [dom.2] release pairs with [dom.1]: whoever finds the domain finds it built.
        default_domain.store(built, std::memory_order_release);
        return *built;
    }();
    return domain;
}

}  // namespace quiesce
