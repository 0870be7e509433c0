// A header and a number of entries behind it, in one piece of memory.
#pragma once

#include <cstddef>
#include <new>

#include "quiesce/platform.hpp"

namespace quiesce::detail {

/// Base of the header, which is default-built and at least as aligned as an entry.
template <class P, class Header, class Entry>
struct trailing_array {
    Entry* begin() { return std::launder(reinterpret_cast<Entry*>(static_cast<Header*>(this) + 1)); }

    /// Null when there is no memory.
    static Header* create(unsigned entries) {
        static_assert(alignof(Header) >= alignof(Entry));
        void* const memory = P::allocate(bytes(entries), alignof(Header));
        if (memory == nullptr) {
            return nullptr;
        }
        auto* const header = ::new (memory) Header();
        for (unsigned i = 0; i != entries; ++i) {
            ::new (static_cast<void*>(reinterpret_cast<Entry*>(header + 1) + i)) Entry();
        }
        return header;
    }

    static void destroy(Header* header, unsigned entries) {
        Entry* const first = header->begin();
        for (unsigned i = 0; i != entries; ++i) {
            first[i].~Entry();
        }
        header->~Header();
        P::deallocate(header, bytes(entries), alignof(Header));
    }

private:
    static constexpr std::size_t bytes(unsigned entries) { return sizeof(Header) + entries * sizeof(Entry); }
};

}  // namespace quiesce::detail
