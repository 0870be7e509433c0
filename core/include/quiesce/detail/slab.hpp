// Slabs: memory for objects of one cache, or of one shard of it, found from an object's address.
//
// A slab is aligned to `limits.slab_bytes`, and every object of it begins within that many bytes, so masking an
// object's address gives its slab. The list of free objects and everything else that is known about them lie beside the
// objects, never over them: a reader of a type-stable cache may look at an object that is free.
//
// Source: Bonwick, "The Slab Allocator", 1994; the list of indices is the kernel's of 1999.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include "quiesce/platform.hpp"
#include "quiesce/rcu_head.hpp"

namespace quiesce::detail {

template <class P>
class cache_core;

enum class object_use : std::uint32_t { free, allocated, deferred };

/// What is known of one object where misuse is looked for.
template <class P>
struct object_state {
    typename P::template atomic<std::uint32_t> use{static_cast<std::uint32_t>(object_use::free)};
    /// Where it was allocated. Written by the thread that allocates it, read when it is known to be held.
    typename P::template atomic<std::uintptr_t> site{0};
};

/// Where things are in a slab, in bytes from its beginning.
struct slab_layout {
    std::size_t stride;
    std::size_t first_object;
    std::size_t states;
    std::size_t indices;
    std::size_t bytes;
    unsigned objects;
    bool tracked;
};

template <class P, class Owner = cache_core<P>>
struct alignas(64) slab : basic_rcu_head<P> {
    using index = std::uint16_t;

    Owner* const owner;
    slab* before = nullptr;
    slab* after = nullptr;
    /// The domain's.
    slab* next_by_address = nullptr;
    typename P::template plain<unsigned> free_count;

    slab(Owner& cache, const slab_layout& layout) : owner(&cache), free_count(layout.objects) {
        for (unsigned i = 0; i != layout.objects; ++i) {
            indices(layout)[i] = static_cast<index>(layout.objects - 1 - i);
            if (layout.tracked) {
                ::new (static_cast<void*>(states(layout) + i)) object_state<P>();
            }
        }
    }

    const void* address() const { return this; }

    static slab* of(const void* object) {
        return reinterpret_cast<slab*>(reinterpret_cast<std::uintptr_t>(object) & ~(P::limits().slab_bytes - 1));
    }

    static slab_layout layout_of(std::size_t size, std::size_t alignment, bool tracked) {
        slab_layout l{};
        l.tracked = tracked;
        l.stride = round_up(size == 0 ? 1 : size, alignment);
        const std::size_t room = P::limits().slab_bytes;
        const std::size_t beside = sizeof(index) + (tracked ? sizeof(object_state<P>) : 0);
        l.objects = static_cast<unsigned>((room - sizeof(slab)) / (l.stride + beside));
        if (l.objects > P::limits().slab_objects) {
            l.objects = P::limits().slab_objects;
        }
        place(l, alignment);
        while (l.objects > 1 && l.first_object + l.objects * l.stride > room) {
            --l.objects;
            place(l, alignment);
        }
        if (l.objects == 0) {
            l.objects = 1;
            place(l, alignment);
        }
        l.bytes = l.first_object + l.objects * l.stride;
        if (l.bytes < room) {
            l.bytes = room;
        }
        return l;
    }

    char* object(const slab_layout& l, unsigned i) {
        return reinterpret_cast<char*>(this) + l.first_object + i * l.stride;
    }
    unsigned index_of(const slab_layout& l, const void* o) const {
        const auto offset = static_cast<std::size_t>(static_cast<const char*>(o) - reinterpret_cast<const char*>(this));
        return static_cast<unsigned>((offset - l.first_object) / l.stride);
    }
    /// Whether an object begins there.
    bool has(const slab_layout& l, const void* address) const {
        const auto offset =
            static_cast<std::size_t>(static_cast<const char*>(address) - reinterpret_cast<const char*>(this));
        return offset >= l.first_object && (offset - l.first_object) % l.stride == 0 &&
               (offset - l.first_object) / l.stride < l.objects;
    }
    object_state<P>* states(const slab_layout& l) {
        return reinterpret_cast<object_state<P>*>(reinterpret_cast<char*>(this) + l.states);
    }

    /// Requires that there is a free one.
    void* take(const slab_layout& l) {
        const unsigned n = free_count.get() - 1;
        free_count.set(n);
        return object(l, indices(l)[n]);
    }
    void put(const slab_layout& l, const void* o) {
        const unsigned n = free_count.get();
        indices(l)[n] = static_cast<index>(index_of(l, o));
        free_count.set(n + 1);
    }

private:
    static constexpr std::size_t round_up(std::size_t n, std::size_t to) { return (n + to - 1) / to * to; }

    static void place(slab_layout& l, std::size_t alignment) {
        l.states = round_up(sizeof(slab), alignof(object_state<P>));
        l.indices = l.states + (l.tracked ? l.objects * sizeof(object_state<P>) : 0);
        l.first_object = round_up(l.indices + l.objects * sizeof(index), alignment);
    }

    index* indices(const slab_layout& l) { return reinterpret_cast<index*>(reinterpret_cast<char*>(this) + l.indices); }
};

/// Slabs in no order, each in one list at a time.
template <class P, class Owner = cache_core<P>>
class slab_list {
    using slab = detail::slab<P, Owner>;

public:
    slab* front() const { return first_; }
    bool empty() const { return first_ == nullptr; }
    unsigned size() const { return size_; }

    void push(slab* s) {
        s->before = nullptr;
        s->after = first_;
        if (first_ != nullptr) {
            first_->before = s;
        }
        first_ = s;
        ++size_;
    }
    void remove(slab* s) {
        (s->before == nullptr ? first_ : s->before->after) = s->after;
        if (s->after != nullptr) {
            s->after->before = s->before;
        }
        --size_;
    }
    slab* pop() {
        slab* const s = first_;
        remove(s);
        return s;
    }

private:
    slab* first_ = nullptr;
    unsigned size_ = 0;
};

}  // namespace quiesce::detail
