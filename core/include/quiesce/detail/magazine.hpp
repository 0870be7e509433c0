// Magazines: stacks of free objects of a cache, which threads and the cache exchange whole.
//
// A thread keeps two for each cache, so that allocations and frees that go up and down around the end of one do not go
// to the cache each time.
//
// Source: Bonwick and Adams, "Magazines and Vmem", 2001.
#pragma once

#include <cstdint>
#include <utility>

#include "quiesce/detail/fifo_list.hpp"
#include "quiesce/detail/trailing_array.hpp"
#include "quiesce/platform.hpp"

namespace quiesce::detail {

template <class P>
class cache_core;

template <class P>
struct magazine_entry {
    typename P::template plain<void*> object{nullptr};
};

template <class P>
struct alignas(64) magazine : trailing_array<P, magazine<P>, magazine_entry<P>> {
    typename P::template plain<magazine*> next{nullptr};
    typename P::template plain<unsigned> count{0};

    void push(void* object) {
        const unsigned n = count.get();
        this->begin()[n].object.set(object);
        count.set(n + 1);
    }
    /// Requires that there is one.
    void* pop() {
        const unsigned n = count.get() - 1;
        count.set(n);
        return this->begin()[n].object.get();
    }
};

template <class P>
using magazine_list = fifo_list<magazine<P>>;

/// What one thread keeps for one cache. Belongs to whoever is inside the thread's gate.
template <class P>
struct cache_slot {
    /// Null while the thread keeps nothing for the cache of this index.
    typename P::template plain<cache_core<P>*> cache{nullptr};
    magazine<P>* loaded = nullptr;
    magazine<P>* previous = nullptr;
    /// Objects given to free_rcu by the thread, and freed after their grace period by it.
    std::uint64_t deferred = 0;
    std::uint64_t returned = 0;

    /// Null when there is none.
    void* pop() {
        if (loaded == nullptr || loaded->count.get() == 0) {
            if (previous == nullptr || previous->count.get() == 0) {
                return nullptr;
            }
            std::swap(loaded, previous);
        }
        return loaded->pop();
    }

    /// Returns false, and keeps nothing, when both magazines are full or missing.
    bool push(void* object, unsigned capacity) {
        if (loaded == nullptr || loaded->count.get() == capacity) {
            if (previous == nullptr || previous->count.get() == capacity) {
                return false;
            }
            std::swap(loaded, previous);
        }
        loaded->push(object);
        return true;
    }

    /// Takes everything over from `other`.
    void take(cache_slot& other) {
        cache.set(other.cache.get());
        loaded = other.loaded;
        previous = other.previous;
        deferred = other.deferred;
        returned = other.returned;
    }

    /// Puts a magazine in front of the others, and returns the one that there is no room for; null when there is.
    magazine<P>* load(magazine<P>* m) {
        magazine<P>* const over = previous;
        previous = loaded;
        loaded = m;
        return over;
    }
};

}  // namespace quiesce::detail
