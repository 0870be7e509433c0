// Definitions of basic_rcu_domain: how it waits until nothing is left (detail/collected.hpp).
//
// The places that are looked at are, in this order: the stages of staged caches, and their list; what threads have
// deferred; the queues of callbacks; the worker's tasks. Each but the stages, and a thread's own array, counts what
// comes to it.
//
// Stages may be looked at without counts. A second stage is fed by the callbacks of first stages and by refills, which
// are tasks, so while queues and tasks are idle and nothing comes to them nothing comes to a second stage. Who comes to
// a first stage queues its callback before leaving it, or comes to one that is in progress. And what the last objects
// of a second stage lead to, by their destructors, comes to a place that is looked at later, or to the first stage of
// another cache, and from there to a queue. A stage in progress is left to the worker, which waits for both domains'
// callbacks, so each round waits for what it found; one that finds more was preceded by something that was added
// meanwhile. So the rounds end when nothing is added any more; what others go on adding keeps `flush_all` waiting, but
// not one round.
//
// A destroyed cache is listed until its end, on the first domain's driver, has run. It waits for both domains itself,
// on the worker, since its second domain may be gone right after it: nothing else may wait there. For the same reason
// it is the worker that waits for the second domains of the others, and the cache is not ended while it does.
#pragma once

#include <exception>

#include "quiesce/rcu_domain.hpp"

namespace quiesce {

template <platform P>
void basic_rcu_domain<P>::flush_all() {
    flushed result = flushed::not_all;
    while (result == flushed::not_all) {
        result = flush_once("flush_all");
    }
    if (result == flushed::refused) {
        return;
    }
    for (auto cache = caches_.first_from(0); cache != nullptr; cache = caches_.first_from(cache->index + 1)) {
        (void)cache->report_held();
    }
}

template <platform P>
bool basic_rcu_domain<P>::flush_round() {
    return flush_once("flush_round") == flushed::all;
}

template <platform P>
auto basic_rcu_domain<P>::flush_once(std::string_view call) -> flushed {
    if (refuse_flush(call)) {
        return flushed::refused;
    }
    frees_.barrier();
    barrier();
    for (shard& s : shards_) {
        s.queue.wait_until_batch_ended();
    }
    finish_tasks();
    const detail::collected first = look_for_work();
    if (!first.idle || P::seeded(defect::flush_looks_once)) {
        return first.idle ? flushed::all : flushed::not_all;
    }
    const detail::collected second = look_for_work();
    return second.idle && second.arrivals == first.arrivals ? flushed::all : flushed::not_all;
}

template <platform P>
bool basic_rcu_domain<P>::refuse_flush(std::string_view call) {
    if (refuse(misuse::barrier_in_section, misuse::barrier_in_callback, call)) {
        return true;
    }
    std::optional<misuse> why;
    if (worker_.is_this_thread()) {
        why = misuse::barrier_in_callback;
    }
    caches_.staged().for_each([&why](detail::staged_member<P>& cache) {
        if (!why.has_value()) {
            why = cache.refusal_to_wait();
        }
    });
    if (why.has_value()) {
        P::report({*why, call, this});
    }
    return why.has_value();
}

template <platform P>
void basic_rcu_domain<P>::finish_tasks() {
    if (P::seeded(defect::flush_skips_tasks)) {
        return;
    }
    if (!P::seeded(defect::flush_waits_for_first_domains_only) && !P::seeded(defect::flush_skips_staged_caches)) {
        caches_.staged().ask_for_visits();
    }
    const std::uint64_t added = tasks_.added();
    const auto returned = [added](std::uint64_t now) { return now >= added; };
    // [wrk.4] acquire pairs with [wrk.3].
    if (returned(tasks_.returned().load(std::memory_order_acquire))) {
        return;
    }
    caches_.wake_worker();
    try {
        worker_.ensure_started();
    } catch (const std::exception&) {
        // No thread can be had: then this one takes the worker's steps.
        while (!returned(tasks_.returned().load(std::memory_order_relaxed)) && settle_step()) {
        }
    }
    (void)await_worker(tasks_.returned(), returned, 0);
}

template <platform P>
detail::collected basic_rcu_domain<P>::look_for_work() {
    detail::collected all;
    if (!P::seeded(defect::flush_skips_staged_caches)) {
        all += caches_.staged().look();
    }
    all += frees_.look();
    for (shard& s : shards_) {
        all += s.queue.look();
    }
    if (!P::seeded(defect::flush_skips_tasks)) {
        all += tasks_.look();
    }
    return all;
}

}  // namespace quiesce
