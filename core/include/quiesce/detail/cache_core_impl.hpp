// Definitions of cache_core: allocation and freeing. Its end is in cache_end_impl.hpp.
#pragma once

#include <algorithm>
#include <cstring>

#include "quiesce/detail/cache_core.hpp"

namespace quiesce::detail {

/// A magazine holds about this many bytes of objects, within limits.
inline constexpr std::size_t magazine_bytes = std::size_t{16} * 1024;

template <class P>
unsigned magazine_capacity(std::size_t stride) {
    const std::size_t fitting = magazine_bytes / stride;
    const std::size_t most = P::limits().magazine_objects;
    return static_cast<unsigned>(fitting < 4 && most > 4 ? 4 : fitting < most ? fitting : most);
}

template <class P>
cache_core<P>::cache_core(basic_rcu_domain<P>& domain, const cache_options& options)
    : domain_(domain),
      name_(options.name),
      options_(options),
      layout_(slab<P>::layout_of(options.size, options.alignment, P::checked())),
      capacity_(magazine_capacity<P>(layout_.stride)),
      closing_(options.quarantine_bytes != 0 ? 1 : 0) {
    options_.name = name_;
    if (options.quarantine_bytes != 0) {
        quarantine_.emplace(options.quarantine_bytes, layout_.stride);
    }
    end_callback_.owner = this;
    P::name(closing_, "cache.closing");
    P::name(completion_.ended_cell(), "cache.ended");
}

template <class P>
cache_core<P>* cache_core<P>::create(basic_rcu_domain<P>& domain, const cache_options& options) {
    const bool power_of_two = options.alignment != 0 && (options.alignment & (options.alignment - 1)) == 0;
    if (!power_of_two || options.alignment > P::limits().slab_bytes / 2) {
        throw std::invalid_argument("the alignment of a cache must be a power of two, at most half a slab");
    }
    void* const memory = P::allocate(sizeof(cache_core), alignof(cache_core));
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    cache_core* c = nullptr;
    try {
        // Now, so that the end of the cache cannot fail.
        domain.start_driver();
        if (options.on_destroy == destroy_strategy::async) {
            domain.worker_.ensure_started();
        }
        c = ::new (memory) cache_core(domain, options);
        domain.caches_.add(*c);
    } catch (...) {
        if (c != nullptr) {
            c->~cache_core();
        }
        P::deallocate(memory, sizeof(cache_core), alignof(cache_core));
        throw;
    }
    return c;
}

template <class P>
inline void* cache_core<P>::allocate(const void* site) {
    record* const r = domain_.frees_.own_record();
    void* object = nullptr;
    if (r != nullptr && r->gate.enter()) [[likely]] {
        if (slot* const s = r->slot_of(*this, index); s != nullptr) [[likely]] {
            object = s->pop();
        }
        r->gate.leave();
    }
    if (object == nullptr) [[unlikely]] {
        object = allocate_slowly(r);
    }
    if (P::seeded(defect::type_stable_object_constructed_again) && object != nullptr && options_.type_stable) {
        options_.destruct(object);
        options_.construct(object);
    }
    if (P::checked() && object != nullptr) {
        slab<P>* const s = slab<P>::of(object);
        object_state<P>& state = s->states(layout_)[s->index_of(layout_, object)];
        state.site.store(reinterpret_cast<std::uintptr_t>(site), std::memory_order_relaxed);
        state.use.store(static_cast<std::uint32_t>(object_use::allocated), std::memory_order_relaxed);
    }
    return object;
}

template <class P>
void* cache_core<P>::allocate_slowly(record* r) {
    magazine<P>* filled = nullptr;
    magazine<P>* empty = nullptr;
    void* object = nullptr;
    for (bool has_asked_for_magazine = quarantine_.has_value();;) {
        bool destroyed = false;
        {
            const lock_hold hold(lock_);
            destroyed = destroyed_;
            if (!destroyed && !filled_.empty()) {
                filled = filled_.pop_front();
                --filled_count_;
            } else if (!destroyed && !slabs_.empty() && empty != nullptr) {
                while (!slabs_.empty() && empty->count.get() != capacity_) {
                    empty->push(slabs_.take(layout_));
                }
                filled = std::exchange(empty, nullptr);
            } else if (!destroyed && !slabs_.empty() && has_asked_for_magazine) {
                object = slabs_.take(layout_);
            }
        }
        if (destroyed) {
            P::report({misuse::allocate_after_destroy, "allocate", this, name_});
        }
        if (destroyed || filled != nullptr || object != nullptr) {
            break;
        }
        if (!has_asked_for_magazine) {
            has_asked_for_magazine = true;
            empty = empty_magazine();
        } else if (!add_slab()) {
            break;
        }
    }
    if (empty != nullptr) {
        (void)keep(empty, false);
    }
    if (filled != nullptr) {
        object = filled->pop();
        load(r, filled, false);
    }
    return object;
}

template <class P>
inline void cache_core<P>::free(void* object) {
    if (!owns(object, "free") ||
        !note_use(object, object_use::allocated, object_use::free, misuse::double_free, "free")) {
        return;
    }
    destruct(object);
    give_back(object);
}

template <class P>
void cache_core<P>::take_back(void* object) {
    (void)note_use(object, object_use::allocated, object_use::free, misuse::double_free, "allocate");
    give_back(object);
}

template <class P>
inline void cache_core<P>::give_back(void* object) {
    record* const r = domain_.frees_.own_record();
    if (r != nullptr && r->gate.enter()) [[likely]] {
        slot* const s = r->slot_of(*this, index);
        if (s != nullptr && s->push(object, capacity_)) [[likely]] {
            r->gate.leave();
            return;
        }
        r->gate.leave();
    }
    give_back_slowly(r, object, false);
}

template <class P>
void cache_core<P>::give_back_slowly(record* r, void* object, bool was_deferred) {
    // As long as the object is held, the cache is there; afterwards it may be gone.
    trim(P::limits().spare_slabs);
    if (quarantine_.has_value()) {
        object = exchange_in_quarantine(object, was_deferred);
        if (object == nullptr) {
            return;
        }
    }
    if (r != nullptr && closing_.load(std::memory_order_relaxed) == 0) {
        magazine<P>* const empty = empty_magazine();
        if (empty != nullptr) {
            empty->push(object);
            load(r, empty, was_deferred);
            return;
        }
    }
    put_back(object, was_deferred);
}

// To its slab.
template <class P>
void cache_core<P>::put_back(void* object, bool was_deferred) {
    bool ended = false;
    {
        const lock_hold hold(lock_);
        put_one(object);
        returned_ += was_deferred ? 1 : 0;
        ended = !P::seeded(defect::last_free_tests_in_two_steps) && found_ended();
    }
    if (P::seeded(defect::last_free_tests_in_two_steps)) {
        const lock_hold hold(lock_);
        ended = destroyed_ && slabs_.in_use() == 0;
    }
    if (ended) {
        complete();
    }
}

// Returns the object whose time in the quarantine is over, if there is one; it counts as held until it is given back.
template <class P>
void* cache_core<P>::exchange_in_quarantine(void* object, bool was_deferred) {
    void* leaving = object;
    poison(object);
    {
        const lock_hold hold(lock_);
        if (!destroyed_ || P::seeded(defect::quarantined_after_destroy)) {
            leaving = quarantine_->exchange(object);
        }
        if (leaving == nullptr) {
            returned_ += was_deferred ? 1 : 0;
        }
    }
    if (leaving != nullptr) {
        expect_poison(leaving);
    }
    return leaving;
}

/// What fills an object in quarantine; as the kernel's POISON_FREE.
inline constexpr int free_poison = 0x6b;

template <class P>
void cache_core<P>::poison(void* object) {
    // A reader may still look at a type-stable one.
    if (!options_.type_stable) {
        std::memset(object, free_poison, options_.size);
        P::guard(object, options_.size);
    }
}

template <class P>
void cache_core<P>::expect_poison(void* object) {
    if (options_.type_stable) {
        return;
    }
    P::unguard(object, options_.size);
    const auto* const bytes = static_cast<const unsigned char*>(object);
    if (std::any_of(bytes, bytes + options_.size, [](unsigned char b) { return b != free_poison; })) {
        P::report({misuse::written_after_free, "quarantine", object, name_});
    }
}

template <class P>
inline bool cache_core<P>::defer_quickly(void* object) {
    record* const r = domain_.frees_.own_record();
    if (r != nullptr && r->gate.enter()) [[likely]] {
        slot* const s = r->slot_of(*this, index);
        block_array<P>& array = r->array(channel::small);
        if (s != nullptr && !array.full()) [[likely]] {
            ++s->deferred;
            array.append(object, nullptr);
            r->gate.leave();
            return true;
        }
        r->gate.leave();
    }
    return false;
}

template <class P>
inline void cache_core<P>::free_rcu(void* object) {
    if (P::checked() && domain_.in_section()) {
        P::report({misuse::free_rcu_in_section, "free_rcu", object, name_});
        return;
    }
    if (!owns(object, "free_rcu") ||
        !note_use(object, object_use::allocated, object_use::deferred, misuse::double_free, "free_rcu")) {
        return;
    }
    if (defer_quickly(object)) {
        return;
    }
    count_deferred(1);
    if (!domain_.defer_or_wait(channel::small, object, nullptr)) {
        count_deferred(-1);
    }
}

template <class P>
bool cache_core<P>::try_free_rcu(void* object) {
    if (!owns(object, "try_free_rcu") ||
        !note_use(object, object_use::allocated, object_use::deferred, misuse::double_free, "try_free_rcu")) {
        return true;
    }
    if (defer_quickly(object)) {
        return true;
    }
    count_deferred(1);
    if (domain_.frees_.defer(channel::small, object, nullptr, false)) {
        return true;
    }
    count_deferred(-1);
    (void)note_use(object, object_use::deferred, object_use::allocated, misuse::double_free, "try_free_rcu");
    return false;
}

template <class P>
void cache_core<P>::count_deferred(int change) {
    const lock_hold hold(lock_);
    deferred_ += static_cast<std::uint64_t>(change);
}

template <class P>
void cache_core<P>::free_deferred(deferred_object<P>* first, deferred_object<P>* last) {
    for (deferred_object<P>* o = first; o != last; ++o) {
        void* const object = o->object.get();
        destruct(object);
        (void)note_use(object, object_use::deferred, object_use::free, misuse::double_free, "free_rcu");
    }
    // One passage of the gate for as many as there is room for. With the last one the cache may go.
    while (first != last) {
        record* const r = domain_.frees_.own_record();
        if (r != nullptr && r->gate.enter()) [[likely]] {
            if (slot* const s = r->slot_of(*this, index); s != nullptr) {
                for (; first != last && s->push(first->object.get(), capacity_); ++first) {
                    ++s->returned;
                }
            }
            r->gate.leave();
        }
        if (first != last) {
            give_back_slowly(r, first->object.get(), true);
            ++first;
        }
    }
}

// Inside the gate.
template <class P>
auto cache_core<P>::attach(record& r) -> slot* {
    if (closing_.load(std::memory_order_relaxed) != 0 && !P::seeded(defect::thread_attaches_to_closing_cache)) {
        return nullptr;
    }
    slot& s = r.slots[index];
    if (s.cache.get() != this) {
        s.cache.set(this);
    }
    return &s;
}

// Puts a magazine in front of what the calling thread keeps.
template <class P>
void cache_core<P>::load(record* r, magazine<P>* m, bool has_deferred) {
    bool ended = false;
    if (r != nullptr && r->reserve(index) && r->gate.enter()) {
        if (slot* const s = attach(*r); s != nullptr) {
            s->returned += has_deferred ? 1 : 0;
            has_deferred = false;
            m = s->load(m);
        }
        // Inside the gate, so that a flusher waits until the cache has what the thread no longer keeps.
        if (m != nullptr) {
            ended = keep(m, has_deferred);
        }
        r->gate.leave();
    } else if (!P::seeded(defect::magazine_dropped_without_slot)) {
        ended = keep(m, has_deferred);
    }
    if (ended) {
        complete();
    }
}

template <class P>
bool cache_core<P>::keep(magazine<P>* m, bool has_deferred) {
    const lock_hold hold(lock_);
    returned_ += has_deferred ? 1 : 0;
    keep_locked(m);
    return found_ended();
}

template <class P>
void cache_core<P>::keep_locked(magazine<P>* m) {
    if (m->count.get() != 0 && filled_count_ < P::limits().depot_magazines && !destroyed_) {
        filled_.push_back(m);
        ++filled_count_;
        return;
    }
    while (m->count.get() != 0) {
        put_one(m->pop());
    }
    empties_.push_back(m);
    ++empties_count_;
}

// Null when there is no memory.
template <class P>
magazine<P>* cache_core<P>::empty_magazine() {
    {
        const lock_hold hold(lock_);
        if (!empties_.empty()) {
            --empties_count_;
            return empties_.pop_front();
        }
    }
    return magazine<P>::create(capacity_);
}

template <class P>
bool cache_core<P>::add_slab() {
    void* const memory = P::allocate(layout_.bytes, P::limits().slab_bytes);
    if (memory == nullptr) {
        return false;
    }
    auto* const s = ::new (memory) slab<P>(*this, layout_);
    if (options_.type_stable && options_.construct != nullptr) {
        for (unsigned i = 0; i != layout_.objects; ++i) {
            options_.construct(s->object(layout_, i));
        }
    }
    if (options_.by_address) {
        domain_.slabs_.insert(s);
    }
    {
        const lock_hold hold(lock_);
        if (!destroyed_) {
            slabs_.add(s, layout_);
            return true;
        }
    }
    // The caller looks again, and finds the cache destroyed.
    destroy_slab(s);
    return true;
}

template <class P>
void cache_core<P>::destroy_slab(slab<P>* s) {
    if (options_.by_address) {
        (void)domain_.slabs_.take(s);
    }
    if (options_.type_stable && options_.destruct != nullptr) {
        for (unsigned i = 0; i != layout_.objects; ++i) {
            options_.destruct(s->object(layout_, i));
        }
    }
    if (layout_.tracked) {
        for (unsigned i = 0; i != layout_.objects; ++i) {
            s->states(layout_)[i].~object_state<P>();
        }
    }
    s->~slab<P>();
    P::deallocate(s, layout_.bytes, P::limits().slab_bytes);
}

// Slabs that the cache no longer counts.
template <class P>
void cache_core<P>::give_up(slab_list<P>& surplus) {
    while (!surplus.empty()) {
        slab<P>* const s = surplus.pop();
        if (options_.type_stable && !P::seeded(defect::slab_released_without_grace_period)) {
            domain_.retire_surely(s, &slab_grace_period_over);
        } else {
            destroy_slab(s);
        }
    }
}

// Frees what is more than enough, outside the lock.
template <class P>
void cache_core<P>::trim(unsigned slabs_to_keep) {
    slab_list<P> surplus;
    magazine_list<P> magazines;
    {
        const lock_hold hold(lock_);
        // The end takes them all.
        if (!completing_) {
            slabs_.trim(slabs_to_keep, layout_, surplus);
            slabs_in_grace_ += options_.type_stable ? surplus.size() : 0;
        }
        for (; empties_count_ > P::limits().depot_magazines; --empties_count_) {
            magazines.push_back(empties_.pop_front());
        }
    }
    while (!magazines.empty()) {
        magazine<P>::destroy(magazines.pop_front(), capacity_);
    }
    give_up(surplus);
}

template <class P>
bool cache_core<P>::owns(void* object, std::string_view call) {
    if (P::checked() && slab<P>::of(object)->owner != this) {
        P::report({misuse::free_into_wrong_cache, call, object, name_});
        return false;
    }
    return true;
}

// Where misuse is looked for, notes that the object's use changes, unless it is not what it must be.
template <class P>
bool cache_core<P>::note_use(void* object, object_use from, object_use to, misuse otherwise, std::string_view call) {
    if (!P::checked()) {
        return true;
    }
    slab<P>* const s = slab<P>::of(object);
    auto expected = static_cast<std::uint32_t>(from);
    if (s->states(layout_)[s->index_of(layout_, object)].use.compare_exchange_strong(
            expected, static_cast<std::uint32_t>(to), std::memory_order_relaxed, std::memory_order_relaxed)) {
        return true;
    }
    P::report({otherwise, call, object, name_});
    return false;
}

}  // namespace quiesce::detail
