// Definitions of basic_rcu_domain: what is freed by its address, large blocks, and giving memory back.
#pragma once

#include "quiesce/rcu_domain.hpp"

namespace quiesce {

template <platform P>
detail::cache_core<P>* basic_rcu_domain<P>::cache_of(const void* address) {
    // The slab is there as long as the caller holds its object.
    detail::slab<P>* const s = slabs_.find(detail::slab<P>::of(address));
    return s != nullptr && s->owner->has_object(*s, address) ? s->owner : nullptr;
}

template <platform P>
void basic_rcu_domain<P>::free_rcu(void* address) {
    if (frees_.large().has(address)) {
        free_large_rcu(address);
    } else if (detail::cache_core<P>* const cache = cache_of(address); cache != nullptr) {
        cache->free_rcu(address);
    } else if (address != nullptr) {
        P::report({misuse::free_of_unknown_address, "free_rcu", address});
    }
}

template <platform P>
bool basic_rcu_domain<P>::try_free_rcu(void* address) {
    if (frees_.large().has(address)) {
        return try_free_large_rcu(address);
    }
    if (detail::cache_core<P>* const cache = cache_of(address); cache != nullptr) {
        return cache->try_free_rcu(address);
    }
    if (address != nullptr) {
        P::report({misuse::free_of_unknown_address, "try_free_rcu", address});
    }
    return true;
}

template <platform P>
void basic_rcu_domain<P>::free_large(void* block) {
    if (block != nullptr) {
        frees_.large().free(block, "free_large");
    }
}

template <platform P>
void basic_rcu_domain<P>::free_large_rcu(void* block) {
    if (block != nullptr && !refuse_in_section(block, "free_large_rcu")) {
        (void)defer_or_wait(detail::channel::large, block, nullptr);
    }
}

template <platform P>
bool basic_rcu_domain<P>::try_free_large_rcu(void* block) {
    return block == nullptr || frees_.defer(detail::channel::large, block, nullptr, false);
}

template <platform P>
void basic_rcu_domain<P>::shrink() {
    // One by one, since a list of them would take memory.
    for (auto cache = caches_.first_from(0); cache != nullptr; cache = caches_.first_from(cache->index + 1)) {
        cache->shrink();
    }
    frees_.shrink();
}

}  // namespace quiesce
