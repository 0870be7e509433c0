// A table of addresses: what lies at one, found without looking at what lies there.
//
// The entries link themselves, so that to enter one needs no memory and cannot fail. Memory is needed only for the
// table to stay fast as it grows; where there is none it goes on as it is.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "quiesce/detail/fixed_array.hpp"
#include "quiesce/detail/lock_hold.hpp"
#include "quiesce/platform.hpp"

namespace quiesce::detail {

/// An entry has a `next_by_address`, which is the table's, and an `address()` that does not change.
template <class P, class Entry>
class address_table {
public:
    address_table() : parts_(P::limits().address_parts) {}
    address_table(const address_table&) = delete;
    address_table& operator=(const address_table&) = delete;
    ~address_table() {
        for (part& p : parts_) {
            free_memory(p.buckets);
        }
    }

    void insert(Entry* e) {
        part& p = part_of(e->address());
        unsigned crowded = 0;
        {
            const lock_hold hold(p.lock);
            link(p.buckets, e);
            crowded = ++p.entries > 2 * p.buckets.count ? p.buckets.count : 0;
        }
        if (crowded != 0) {
            grow(p, crowded);
        }
    }

    /// Null when there is none. It may be gone at the return, unless the caller holds what lies at that address.
    Entry* find(const void* address) {
        part& p = part_of(address);
        const lock_hold hold(p.lock);
        return *link_to(p.buckets, address);
    }

    /// Takes the entry out; null when there is none. Of several callers one gets it.
    Entry* take(const void* address) {
        part& p = part_of(address);
        const lock_hold hold(p.lock);
        Entry** const at = link_to(p.buckets, address);
        Entry* const e = *at;
        if (e != nullptr) {
            *at = e->next_by_address;
            --p.entries;
        }
        return e;
    }

    /// Calls `visit` with each entry, under a lock.
    template <class Visit>
    void for_each(Visit visit) {
        for (part& p : parts_) {
            const lock_hold hold(p.lock);
            for (unsigned i = 0; i != p.buckets.count; ++i) {
                for (Entry* e = p.buckets[i]; e != nullptr;) {
                    // The visit may destroy it.
                    Entry* const next = e->next_by_address;
                    visit(*e);
                    e = next;
                }
            }
        }
    }

    // Around a fork.
    void before_fork() {
        for (part& p : parts_) {
            p.lock.lock();
        }
    }
    void after_fork() {
        for (part& p : parts_) {
            p.lock.unlock();
        }
    }

private:
    /// One bucket, or several in memory of the platform.
    struct bucket_array {
        Entry* only = nullptr;
        Entry** several = nullptr;
        /// A power of two.
        unsigned count = 1;

        Entry*& operator[](std::size_t i) { return several == nullptr ? only : several[i]; }
    };
    struct alignas(64) part {
        typename P::mutex lock;
        // Under the lock.
        bucket_array buckets;
        std::size_t entries = 0;
    };

    // Addresses differ above the size of a page.
    static std::uint64_t mixed(const void* address) {
        return (reinterpret_cast<std::uintptr_t>(address) >> 12) * std::uint64_t{0x9e3779b97f4a7c15};
    }
    part& part_of(const void* address) { return parts_[static_cast<unsigned>((mixed(address) >> 56) % parts_.size())]; }
    static Entry*& bucket_of(bucket_array& buckets, const void* address) {
        return buckets[(mixed(address) >> 24) & (buckets.count - 1)];
    }

    static void link(bucket_array& buckets, Entry* e) {
        Entry*& bucket = bucket_of(buckets, e->address());
        e->next_by_address = bucket;
        bucket = e;
    }
    static Entry** link_to(bucket_array& buckets, const void* address) {
        Entry** at = &bucket_of(buckets, address);
        while (*at != nullptr && (*at)->address() != address) {
            at = &(*at)->next_by_address;
        }
        return at;
    }

    // The allocation is outside the lock, since it may run code of the user that comes here again.
    void grow(part& p, unsigned from) {
        bucket_array unused;
        unused.count = from * 2;
        unused.several = static_cast<Entry**>(P::allocate(unused.count * sizeof(Entry*), alignof(Entry*)));
        if (unused.several == nullptr) {
            return;
        }
        std::fill_n(unused.several, unused.count, nullptr);
        {
            const lock_hold hold(p.lock);
            // Otherwise another thread was faster.
            if (p.buckets.count == from) {
                std::swap(p.buckets, unused);
                for (unsigned i = 0; i != from; ++i) {
                    for (Entry* e = unused[i]; e != nullptr;) {
                        Entry* const next = e->next_by_address;
                        link(p.buckets, e);
                        e = next;
                    }
                }
            }
        }
        free_memory(unused);
    }

    static void free_memory(const bucket_array& buckets) {
        if (buckets.several != nullptr) {
            P::deallocate(static_cast<void*>(buckets.several), buckets.count * sizeof(Entry*), alignof(Entry*));
        }
    }

    fixed_array<P, part> parts_;
};

}  // namespace quiesce::detail
