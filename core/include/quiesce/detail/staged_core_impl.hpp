// Definitions of staged_core: allocation, freeing and the stages. Its end is in staged_end_impl.hpp.
#pragma once

#include <algorithm>
#include <exception>
#include <new>
#include <stdexcept>
#include <utility>

#include "quiesce/detail/staged_core.hpp"

namespace quiesce::detail {

template <class P>
staged_layout staged_core<P>::layout_of(const staged_cache_options& options) {
    const std::size_t alignment = options.alignment < alignof(node) ? alignof(node) : options.alignment;
    const std::size_t offset = (sizeof(node) + alignment - 1) / alignment * alignment;
    return {shard::slab::layout_of(offset + options.size, alignment, P::checked()), offset};
}

template <class P>
staged_core<P>::staged_core(domain& first, domain& second, const staged_cache_options& options)
    : first_(first),
      second_(second),
      name_(options.name),
      options_(options),
      layout_(layout_of(options)),
      shards_(std::in_place, P::limits().shards) {
    options_.name = name_;
    visit_.core = this;
    end_.core = this;
    for (shard& s : *shards_) {
        s.core = this;
    }
    name_for_traces();
}

template <class P>
void staged_core<P>::name_for_traces() {
    static constexpr const char* names[][6] = {
        {"c0.first_list", "c0.first_in_progress", "c0.first_callback", "c0.second_list", "c0.second_in_progress",
         "c0.second_callback"},
        {"c1.first_list", "c1.first_in_progress", "c1.first_callback", "c1.second_list", "c1.second_in_progress",
         "c1.second_callback"},
    };
    for (unsigned i = 0; i != 2 && i != shards_->size(); ++i) {
        (*shards_)[i].first.name(names[i][0], names[i][1], names[i][2]);
        (*shards_)[i].second.name(names[i][3], names[i][4], names[i][5]);
    }
    P::name(draining_, "draining");
    P::name(refills_, "refills");
}

template <class P>
auto staged_core<P>::create(domain& first, domain& second, const staged_cache_options& options) -> staged_core* {
    const bool power_of_two = options.alignment != 0 && (options.alignment & (options.alignment - 1)) == 0;
    if (!power_of_two || options.alignment > P::limits().slab_bytes / 4) {
        throw std::invalid_argument(
            "the alignment of a staged cache must be a power of two, at most a quarter of a slab");
    }
    // Now, so that what is deferred cannot fail.
    first.start_driver();
    second.start_driver();
    void* const memory = P::allocate(sizeof(staged_core), alignof(staged_core));
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    staged_core* core = nullptr;
    try {
        core = ::new (memory) staged_core(first, second, options);
        first.caches_.add(*core);
    } catch (...) {
        if (core != nullptr) {
            core->~staged_core();
        }
        P::deallocate(memory, sizeof(staged_core), alignof(staged_core));
        throw;
    }
    return core;
}

template <class P>
void* staged_core<P>::allocate() {
    shard& s = here();
    bool wanted = false;
    node* n = s.pop(wanted);
    if (n == nullptr) {
        n = allocate_slowly(s);
    }
    if (wanted) {
        ask_for_refill(s);
    }
    if (n == nullptr) {
        return nullptr;
    }
    n->alive = true;
    if (P::checked()) {
        state_of(object_of(n)).use.store(static_cast<std::uint32_t>(object_use::allocated), std::memory_order_relaxed);
    }
    return object_of(n);
}

template <class P>
auto staged_core<P>::allocate_slowly(shard& s) -> node* {
    for (;;) {
        if (node* const n = s.take_one(layout_); n != nullptr) {
            return n;
        }
        if (!add_slab(s)) {
            return nullptr;
        }
    }
}

template <class P>
bool staged_core<P>::add_slab(shard& s) {
    void* const memory = P::allocate(layout_.slab.bytes, P::limits().slab_bytes);
    if (memory == nullptr) {
        return false;
    }
    auto* const fresh = ::new (memory) slab(s, layout_.slab);
    for (unsigned i = 0; i != layout_.slab.objects; ++i) {
        ::new (static_cast<void*>(fresh->object(layout_.slab, i))) node();
    }
    s.add(fresh, layout_);
    return true;
}

template <class P>
void staged_core<P>::destroy_slab(slab* s) {
    for (unsigned i = 0; i != layout_.slab.objects; ++i) {
        reinterpret_cast<node*>(s->object(layout_.slab, i))->~node();
        if (layout_.slab.tracked) {
            s->states(layout_.slab)[i].~object_state<P>();
        }
    }
    s->~slab();
    P::deallocate(s, layout_.slab.bytes, P::limits().slab_bytes);
}

template <class P>
void staged_core<P>::free(void* object) {
    if (!owns(object, "free") || !note_use(object, object_use::allocated, object_use::free, "free")) {
        return;
    }
    node* const n = node_of(object);
    bury(n);
    shard& s = here();
    bool wanted = false;
    s.push(n, wanted);
    if (wanted) {
        ask_for_refill(s);
    }
}

template <class P>
void staged_core<P>::free_rcu(void* object) {
    if (!owns(object, "free_rcu") || !note_use(object, object_use::allocated, object_use::deferred, "free_rcu")) {
        return;
    }
    list objects;
    objects.push_back(node_of(object));
    if (P::seeded(defect::first_stage_skipped)) {
        send_on(shard::of(object), objects);
        return;
    }
    shard& s = here();
    if (s.first.add(objects)) {
        start(s.first);
    }
}

template <class P>
void staged_core<P>::bury(node* n) {
    if (n->alive) {
        n->alive = false;
        if (options_.destruct != nullptr) {
            options_.destruct(object_of(n));
        }
    }
}

// Refill.

template <class P>
void staged_core<P>::ask_for_refill(shard& s) {
    refills_.fetch_add(1, std::memory_order_relaxed);
    try {
        first_.run_on_worker(&s.refill, &refill_reached);
    } catch (const std::exception&) {
        // Dropped: it is queued, and whoever asks the worker next tries to start it again. Until then `allocate` fills
        // up for itself.
    }
}

template <class P>
void staged_core<P>::refill_reached(head* h) {
    shard& s = *static_cast<typename shard::work*>(h)->home;
    staged_core& self = *s.core;
    s.refill_begins();
    while (!s.fill(self.layout_) && self.add_slab(s)) {
    }
    list surplus;
    s.take_surplus(surplus);
    self.for_each_home(surplus.front(), [&self](shard& home, list& objects) { self.send_on(home, objects); });
    self.task_over();
}

template <class P>
void staged_core<P>::task_over() {
    // [stg.10] release pairs with [stg.11]: the refill happens before the end of the cache.
    refills_.fetch_sub(1,
                       P::seeded(defect::refill_ended_relaxed) ? std::memory_order_relaxed : std::memory_order_release);
}

// Visits: the first domain is flushed, which waits for the second domain too.

template <class P>
void staged_core<P>::ask_for_visit() {
    if (&first_ == &second_ || !has_stage_in_progress()) {
        return;
    }
    refills_.fetch_add(1, std::memory_order_relaxed);
    if (!first_.tasks_.add_once(&visit_, &visit_reached)) {
        refills_.fetch_sub(1, std::memory_order_relaxed);
    }
}

template <class P>
void staged_core<P>::visit_reached(head* h) {
    staged_core& self = *static_cast<task*>(h)->core;
    self.second_.barrier();
    self.task_over();
}

template <class P>
bool staged_core<P>::has_stage_in_progress() {
    if (!shards_.has_value()) {
        return false;
    }
    const bool only_first = P::seeded(defect::flush_waits_for_first_domains_only);
    return (!only_first &&
            std::any_of(shards_->begin(), shards_->end(), [](shard& s) { return s.second.in_progress(); })) ||
           std::any_of(shards_->begin(), shards_->end(), [](shard& s) { return s.first.in_progress(); });
}

template <class P>
std::optional<misuse> staged_core<P>::refusal_to_wait() {
    return second_.in_section()                          ? std::optional(misuse::barrier_in_section)
           : second_.running_callbacks_.get() != nullptr ? std::optional(misuse::barrier_in_callback)
                                                         : std::nullopt;
}

// Stages.

template <class P>
void staged_core<P>::start(stage& s) {
    if (!s.claim()) {
        P::report({misuse::objects_lost_at_destroy, "staged_cache stage", this, name_});
    }
    serve(s);
}

template <class P>
void staged_core<P>::serve(stage& s) {
    const bool is_first = &s == &s.home->first;
    do {
        node* const batch = s.take_incoming();
        if (batch == nullptr) {
            continue;
        }
        if (!draining()) {
            s.set_waiting(batch);
            (is_first ? first_ : second_).retire_surely(&s, is_first ? &first_stage_over : &second_stage_over);
            return;
        }
        put_back(batch);
    } while (!s.end());
}

template <class P>
void staged_core<P>::send_on(shard& home, list& objects) {
    if (home.second.add(objects)) {
        start(home.second);
    }
}

template <class P>
void staged_core<P>::first_stage_over(head* h) {
    stage& s = *static_cast<stage*>(h);
    staged_core& self = *s.home->core;
    self.for_each_home(s.take_waiting(), [&self](shard& home, list& objects) {
        if (P::seeded(defect::second_stage_skipped)) {
            self.put_back_to(home, objects);
        } else {
            self.send_on(home, objects);
        }
    });
    if (!s.end()) {
        self.serve(s);
    }
}

template <class P>
void staged_core<P>::second_stage_over(head* h) {
    stage& s = *static_cast<stage*>(h);
    staged_core& self = *s.home->core;
    self.put_back(s.take_waiting());
    if (!s.end()) {
        self.serve(s);
    }
}

template <class P>
template <class Function>
void staged_core<P>::for_each_home(node* objects, Function f) {
    while (objects != nullptr) {
        shard& home = shard::of(objects);
        list same;
        list others;
        while (objects != nullptr) {
            node* const n = objects;
            objects = n->next.get();
            (&shard::of(n) == &home ? same : others).push_back(n);
        }
        f(home, same);
        objects = others.front();
    }
}

template <class P>
void staged_core<P>::put_back(node* objects) {
    for_each_home(objects, [this](shard& home, list& same) { put_back_to(home, same); });
}

template <class P>
void staged_core<P>::put_back_to(shard& home, list& objects) {
    for (node* n = objects.front(); n != nullptr; n = n->next.get()) {
        if (n->alive) {
            bury(n);
            (void)note_use(object_of(n), object_use::deferred, object_use::free, "free_rcu");
        }
    }
    typename shard::slabs surplus;
    if (!home.put_back(objects, layout_, surplus)) {
        P::report({misuse::objects_lost_at_destroy, "staged_cache stage", this, name_});
    }
    while (!surplus.empty()) {
        destroy_slab(surplus.pop());
    }
}

// What can be learnt of it.

template <class P>
staged_cache_usage staged_core<P>::usage() {
    staged_cache_usage u;
    u.name = name_;
    if (!shards_.has_value()) {
        return u;
    }
    std::int64_t in_flight = 0;
    for (shard& s : *shards_) {
        in_flight += s.in_flight();
        s.inspect([&u](auto& pool, unsigned available) {
            u.in_use += pool.in_use();
            u.available += available;
            u.slabs += pool.slabs();
        });
    }
    u.in_use -= std::min(u.available, u.in_use);
    u.in_flight = std::min(static_cast<std::uint64_t>(std::max(in_flight, std::int64_t{0})), u.in_use);
    u.in_use -= u.in_flight;
    u.bytes = u.slabs * layout_.slab.bytes;
    return u;
}

template <class P>
cache_usage staged_core<P>::listed() {
    staged_cache_usage now = usage();
    cache_usage u;
    u.name = std::move(now.name);
    u.staged = true;
    u.pending = this->is_destroyed();
    u.in_use = now.in_use;
    u.in_flight = now.in_flight;
    u.slabs = now.slabs;
    u.bytes = now.bytes;
    return u;
}

template <class P>
object_state<P>& staged_core<P>::state_of(const void* object) {
    slab* const s = slab::of(object);
    const char* const n = static_cast<const char*>(object) - layout_.offset;
    return s->states(layout_.slab)[s->index_of(layout_.slab, n)];
}

template <class P>
bool staged_core<P>::owns(void* object, std::string_view call) {
    if (P::checked() && shard::of(object).core != this) {
        P::report({misuse::free_into_wrong_cache, call, object, name_});
        return false;
    }
    return true;
}

template <class P>
bool staged_core<P>::note_use(void* object, object_use from, object_use to, std::string_view call) {
    if (!P::checked()) {
        return true;
    }
    auto expected = static_cast<std::uint32_t>(from);
    if (state_of(object).use.compare_exchange_strong(expected, static_cast<std::uint32_t>(to),
                                                     std::memory_order_relaxed, std::memory_order_relaxed)) {
        return true;
    }
    P::report({misuse::double_free, call, object, name_});
    return false;
}

}  // namespace quiesce::detail
