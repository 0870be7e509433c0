// What an object carries so that it can be retired without an allocation.
#pragma once

#include <cstdint>

#include "quiesce/platform.hpp"

namespace quiesce {

/// The embedded part of an object that can be retired to a domain: a link and the callback to run.
/// Between retirement and the callback it belongs to the domain.
template <platform P>
struct basic_rcu_head {
    using callback = void (*)(basic_rcu_head*);

    typename P::template plain<basic_rcu_head*> next{nullptr};
    /// Null unless the object is retired.
    typename P::template plain<callback> function{nullptr};
};

namespace detail {

/// An intrusive first-in first-out list of heads. Not synchronised.
template <class P>
class head_list {
public:
    using head = basic_rcu_head<P>;

    head_list() = default;
    head_list(const head_list&) = delete;
    head_list& operator=(const head_list&) = delete;

    bool empty() const { return first_ == nullptr; }

    void push_back(head* h) {
        h->next.set(nullptr);
        if (first_ == nullptr) {
            first_ = h;
        } else {
            last_->next.set(h);
        }
        last_ = h;
    }

    head* pop_front() {
        head* const h = first_;
        first_ = h->next.get();
        if (first_ == nullptr) {
            last_ = nullptr;
        }
        return h;
    }

    /// Appends all of `other` and leaves it empty.
    void splice_back(head_list& other) {
        if (other.empty()) {
            return;
        }
        if (first_ == nullptr) {
            first_ = other.first_;
        } else {
            last_->next.set(other.first_);
        }
        last_ = other.last_;
        other.first_ = nullptr;
        other.last_ = nullptr;
    }

private:
    head* first_ = nullptr;
    head* last_ = nullptr;
};

}  // namespace detail
}  // namespace quiesce
