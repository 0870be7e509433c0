// Objects that were freed and must not be used again yet.
//
// First in, first out, and no more of them than a number of bytes allows. They are in the slabs' sense still out, so a
// slab with one of them is not released.
//
// Source: Serebryany, Bruening, Potapenko and Vyukov, "AddressSanitizer: A Fast Address Sanity Checker", 2012; the
// kernel's is mm/kasan/quarantine.c, which a cache's end must empty (Vlastimil Babka, 2024, on asynchronous destroy).
#pragma once

#include <cstddef>

#include "quiesce/detail/fixed_array.hpp"

namespace quiesce::detail {

template <class P>
class quarantine {
public:
    /// For objects of `size` bytes; at least one, however few `bytes` there are. Throws std::bad_alloc.
    quarantine(std::size_t bytes, std::size_t size)
        : ring_(static_cast<unsigned>(bytes / size == 0 ? 1 : bytes / size)) {}

    unsigned size() const { return size_; }

    /// Takes an object in. Returns the one that has been there for longest if there is no more room, else null.
    void* exchange(void* object) {
        void* const leaving = size_ == ring_.size() ? take_oldest() : nullptr;
        ring_[(oldest_ + size_) % ring_.size()] = object;
        ++size_;
        return leaving;
    }

    /// Null when there is none.
    void* take_oldest() {
        if (size_ == 0) {
            return nullptr;
        }
        void* const object = ring_[oldest_];
        oldest_ = (oldest_ + 1) % ring_.size();
        --size_;
        return object;
    }

private:
    fixed_array<P, void*> ring_;
    unsigned oldest_ = 0;
    unsigned size_ = 0;
};

}  // namespace quiesce::detail
