// The slabs of one owner, a cache or a shard of one. Not synchronised: the owner's lock orders all of it.
#pragma once

#include <cstdint>
#include <new>

#include "quiesce/detail/invariant.hpp"
#include "quiesce/detail/slab.hpp"
#include "quiesce/platform.hpp"

namespace quiesce::detail {

/// A slab is in `unused_` if all its objects are free, in `exhausted_` if none is, else in `partial_`.
template <class P, class Owner>
class slab_pool {
public:
    using slab = detail::slab<P, Owner>;
    using list = slab_list<P, Owner>;

    /// Whether there is no object to take.
    bool empty() const { return free_ == 0; }
    /// Objects that were taken and not put back.
    std::uint64_t in_use() const { return total_ - free_; }
    std::uint64_t free() const { return free_; }
    std::uint64_t slabs() const { return std::uint64_t{unused_.size()} + partial_.size() + exhausted_.size(); }

    void add(slab* s, const slab_layout& layout) {
        unused_.push(s);
        total_ += layout.objects;
        free_ += layout.objects;
    }

    /// Requires that it is not empty.
    void* take(const slab_layout& layout) {
        list& from = partial_.empty() ? unused_ : partial_;
        slab* const s = from.front();
        assert_invariant<P>("K1", [&] {
            const unsigned left = s->free_count.get();
            return &from == &unused_ ? left == layout.objects : left != 0 && left < layout.objects;
        });
        void* const object = s->take(layout);
        --free_;
        const bool exhausted = s->free_count.get() == 0;
        if (exhausted || &from == &unused_) {
            from.remove(s);
            (exhausted ? exhausted_ : partial_).push(s);
        }
        return object;
    }

    void put(slab* s, const slab_layout& layout, const void* object) {
        const bool was_exhausted = s->free_count.get() == 0;
        assert_invariant<P>("K2", [&] { return s->free_count.get() < layout.objects && free_ < total_; });
        s->put(layout, object);
        ++free_;
        const bool unused = s->free_count.get() == layout.objects;
        if (was_exhausted || unused) {
            (was_exhausted ? exhausted_ : partial_).remove(s);
            (unused ? unused_ : partial_).push(s);
        }
    }

    /// Moves every slab to `all`.
    void take_all(list& all) {
        for (list* const l : {&unused_, &partial_, &exhausted_}) {
            while (!l->empty()) {
                all.push(l->pop());
            }
        }
        total_ = 0;
        free_ = 0;
    }

    /// Moves unused slabs to `surplus` until no more than so many are left.
    void trim(unsigned keep, const slab_layout& layout, list& surplus) {
        while (unused_.size() > keep) {
            surplus.push(unused_.pop());
            total_ -= layout.objects;
            free_ -= layout.objects;
        }
    }

    /// Calls `f` for every slab of which an object is out.
    template <class Function>
    void for_each_in_use(Function f) {
        for (const list* const l : {&partial_, &exhausted_}) {
            for (slab* s = l->front(); s != nullptr; s = s->after) {
                f(*s);
            }
        }
    }

private:
    list unused_;
    list partial_;
    list exhausted_;
    std::uint64_t total_ = 0;
    std::uint64_t free_ = 0;
};

}  // namespace quiesce::detail
