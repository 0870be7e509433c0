// A staged cache is destroyed while the worker refills it, which moves surplus objects to the second stage.
#pragma once

#include "relacy_models/scenarios/staged_support.hpp"

namespace quiesce::models {

template <class P>
struct staged_destroy_waits_for_refills : staged_setting<P> {
    static constexpr defect_info defects[] = {
        {defect::destroy_ignores_refill, "destroy_ignores_refill", "", "use_after_free misuse_of_primitive data_race",
         "Linux, kernel/bpf/memalloc.c, irq_work_sync in bpf_mem_alloc_destroy",
         "the destroyer does not wait for the refill that is queued"},
        {defect::refill_ended_relaxed, "refill_ended_relaxed", "", "use_after_free misuse_of_primitive data_race",
         "C++20, [atomics.order]", "the end of a refill is counted with a relaxed read-modify-write"},
    };
    static constexpr std::string_view must_reach[] = {found_in_flight};
    static constexpr scenario_info info{"staged_destroy_waits_for_refills",
                                        "a staged cache ends after its refills and what they set in motion",
                                        "C10",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        1,
                                        {},
                                        false,
                                        true};

    staged_destroy_waits_for_refills() : staged_setting<P>(staged_destroy::order) {
        // One more than may be available.
        static constexpr unsigned most = 8;
        void* held[most];
        const unsigned objects = P::limits().staged_high_watermark + 1;
        typename P::template plain<unsigned>* const unused = &this->counts[0].returned;
        for (unsigned i = 0; i != objects; ++i) {
            auto* const o = this->make(0);
            o->returned = unused;
            held[i] = o;
        }
        for (unsigned i = 0; i != objects; ++i) {
            this->cache->free(held[i]);
        }
    }

    void thread(unsigned i) {
        if (i == 0) {
            destroy_staged(*this);
        } else {
            (void)this->first.settle_step();
        }
    }

    void finish() { this->check_ended(0); }
};

}  // namespace quiesce::models
