// A thread flushes the first domain of a staged cache while an object of the cache goes from the first stage to the
// second, and back to its slab.
#pragma once

#include "relacy_models/scenarios/staged_support.hpp"

namespace quiesce::models {

template <class P>
struct flush_all_covers_staged_caches : staged_setting<P> {
    static constexpr defect_info defects[] = {
        {defect::flush_skips_staged_caches, "flush_skips_staged_caches", "", "data_race assertion",
         "Linux, kernel/bpf/memalloc.c, bpf_mem_alloc_destroy: rcu_barrier alone does not wait for its lists",
         "flush_all looks at callbacks and deferred frees only, not at the stages of staged caches"},
        {defect::flush_waits_for_first_domains_only, "flush_waits_for_first_domains_only", "", "data_race assertion",
         "Linux, kernel/bpf/memalloc.c, free_mem_alloc: rcu_barrier_tasks_trace before rcu_barrier",
         "flush_all waits for what is in a first stage, and leaves it in the second"},
    };
    static constexpr std::string_view must_reach[] = {"the worker visited the cache", "all was returned"};
    static constexpr scenario_info info{
        "flush_all_covers_staged_caches",
        "flush_all of the first domain returns when nothing of a staged cache is in flight in either domain",
        "C9 C10",
        2,
        defects,
        must_reach,
        false,
        0};

    typename P::template atomic<unsigned> over{0};

    flush_all_covers_staged_caches() : staged_setting<P>(staged_destroy::draining) {
        this->free_elsewhere(this->make(0));
        // The grace period of the first domain is another scenario's.
        while (this->first.advance_grace_period() != step_result::idle) {
        }
    }

    void thread(unsigned i) {
        if (i == 0) {
            flush();
        } else {
            serve();
        }
    }

    void flush() {
        // At the smallest size one round, which may find that something has come meanwhile.
        bool is_all_done = true;
        if (smallest<P>()) {
            is_all_done = this->first.flush_round();
        } else {
            this->first.flush_all();
        }
        if (is_all_done) {
            P::check(this->returned(0), "flush_all returned with an object in flight");
            P::reached(must_reach[1]);
        }
        over.store(1, std::memory_order_release);
        this->first.wake_worker();
    }

    /// Both drivers, and the worker. Whatever is queued comes from here, but for what is asked of the worker.
    void serve() {
        if (smallest<P>()) {
            // The object's callback, and a marker that may have come behind it.
            (void)this->first.reclaim_step();
            (void)this->first.reclaim_step();
        } else {
            run_callbacks(this->first);
        }
        run_callbacks(this->tasks);
        for (;;) {
            const std::uint64_t seen = this->first.settles_queued();
            if (over.load(std::memory_order_acquire) != 0) {
                return;
            }
            if (this->first.settle_step()) {
                P::reached(must_reach[0]);
            } else {
                this->first.wait_for_settles(seen);
            }
        }
    }

    void finish() {
        (void)this->cache->destroy();
        this->check_ended(1);
    }
};

}  // namespace quiesce::models
