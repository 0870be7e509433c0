// An array whose length is known when it is built.
#pragma once

#include <new>

#include "quiesce/platform.hpp"

namespace quiesce::detail {

/// Owns `count` elements in memory of the platform. Throws std::bad_alloc when there is none.
template <class P, class T>
class fixed_array {
public:
    explicit fixed_array(unsigned count)
        : count_(count), elements_(static_cast<T*>(P::allocate(sizeof(T) * count, alignof(T)))) {
        if (elements_ == nullptr) {
            throw std::bad_alloc();
        }
        for (T& element : *this) {
            ::new (static_cast<void*>(&element)) T();
        }
    }
    fixed_array(const fixed_array&) = delete;
    fixed_array& operator=(const fixed_array&) = delete;
    ~fixed_array() {
        for (T& element : *this) {
            element.~T();
        }
        P::deallocate(elements_, sizeof(T) * count_, alignof(T));
    }

    unsigned size() const { return count_; }
    T& operator[](unsigned i) { return elements_[i]; }
    T* begin() { return elements_; }
    T* end() { return elements_ + count_; }

private:
    const unsigned count_;
    T* const elements_;
};

}  // namespace quiesce::detail
