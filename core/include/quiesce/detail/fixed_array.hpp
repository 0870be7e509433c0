// An array whose length is known when it is built.
#pragma once

#include <new>

#include "quiesce/platform.hpp"

namespace quiesce::detail {

/// Owns `count` elements in memory of the platform. Throws std::bad_alloc when there is none, and what an element
/// throws; nothing is left then.
template <class P, class T>
class fixed_array {
public:
    explicit fixed_array(unsigned count)
        : count_(count), elements_(static_cast<T*>(P::allocate(sizeof(T) * count, alignof(T)))) {
        if (elements_ == nullptr) {
            throw std::bad_alloc();
        }
        unsigned built = 0;
        try {
            for (; built != count_; ++built) {
                ::new (static_cast<void*>(elements_ + built)) T();
            }
        } catch (...) {
            destroy(built);
            throw;
        }
    }
    fixed_array(const fixed_array&) = delete;
    fixed_array& operator=(const fixed_array&) = delete;
    ~fixed_array() { destroy(count_); }

    unsigned size() const { return count_; }
    T& operator[](unsigned i) { return elements_[i]; }
    T* begin() { return elements_; }
    T* end() { return elements_ + count_; }

private:
    void destroy(unsigned built) {
        for (unsigned i = 0; i != built; ++i) {
            elements_[i].~T();
        }
        P::deallocate(elements_, sizeof(T) * count_, alignof(T));
    }

    const unsigned count_;
    T* const elements_;
};

}  // namespace quiesce::detail
