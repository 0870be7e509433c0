// Large blocks: memory in whole pages that can be freed after a grace period.
//
// The problem: a table that is replaced under its readers is often larger than what a cache of objects is for, and has
// no place for a head (Ts'o, 2020, on the race of ext4's online resize). A large block is mapped for itself and
// unmapped for itself, so what it took is the system's again at once, and its address alone is enough to free it.
//
//     void* const table = quiesce::allocate_large(bytes);     // null when there is no memory
//     publish(table);
//     unpublish(table);
//     quiesce::free_large_rcu(table);                          // unmapped after a grace period
//
// Where it is not known what lies at the address, `quiesce::free_rcu(table)` does the same.
//
// Guarantees: those of free_rcu. The block is not touched before its grace period, and nothing is kept in it or beside
// it.
//
// What it does not do: construct or destruct anything. To map and to unmap costs system calls; what is smaller than a
// page belongs elsewhere.
#pragma once

#include <cstddef>

#include "quiesce/rcu.hpp"

namespace quiesce {

/// Memory of that many bytes, rounded up to whole pages, filled with zeros and aligned to a page; 0 is one page. Null
/// when there is none. Does not block on readers. The block belongs to the domain: it is freed there, and the domain
/// outlives it.
template <platform P = native_platform>
[[nodiscard]] void* allocate_large(std::size_t bytes, basic_rcu_domain<P>& domain = rcu_default_domain()) {
    return domain.allocate_large(bytes);
}

/// Unmaps the block now. No reader may hold it. See basic_rcu_domain::free_large.
template <platform P = native_platform>
void free_large(void* block, basic_rcu_domain<P>& domain = rcu_default_domain()) {
    domain.free_large(block);
}

/// Unmaps the block after a grace period. See basic_rcu_domain::free_large_rcu: it may wait when there is no memory.
template <platform P = native_platform>
void free_large_rcu(void* block, basic_rcu_domain<P>& domain = rcu_default_domain()) {
    domain.free_large_rcu(block);
}

/// The same for where waiting is not allowed: returns false where it would have to wait, and has then done nothing.
template <platform P = native_platform>
[[nodiscard]] bool try_free_large_rcu(void* block, basic_rcu_domain<P>& domain = rcu_default_domain()) {
    return domain.try_free_large_rcu(block);
}

}  // namespace quiesce
