// A module retires objects with callbacks that are its own code and data; it must not be unloaded before they ran.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct module_unload_waits_for_callbacks {
    static constexpr defect_info defects[] = {
        {defect::unload_without_barrier, "unload_without_barrier", "D20", "data_race use_after_free assertion",
         "Babka, 2024, on the asynchronous destruction of caches",
         "the module is unloaded without waiting in rcu_barrier"},
    };
    static constexpr std::string_view must_reach[] = {"a callback ran the module's code"};
    static constexpr scenario_info info{"module_unload_waits_for_callbacks",
                                        "no callback runs code of a module that rcu_barrier let go",
                                        "C2",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        2,
                                        {},
                                        false,
                                        true};

    using module = object<P>;

    basic_rcu_domain<P> domain;
    struct of_module : basic_rcu_head<P> {
        module* code = nullptr;
    };
    of_module callback;
    departures<P> over;

    static void run(basic_rcu_head<P>* h) {
        static_cast<of_module*>(h)->code->read();
        P::reached("a callback ran the module's code");
    }

    void thread(unsigned i) {
        if (i == 0) {
            module* const loaded = module::create(1);
            callback.code = loaded;
            domain.retire(&callback, &run);
            if (!P::seeded(defect::unload_without_barrier)) {
                domain.barrier();
            }
            module::destroy(loaded);
            over.leave(domain);
            return;
        }
        drive(domain, over.all(1));
        while (domain.advance_grace_period() == step_result::completed || domain.reclaim_step() != 0) {
        }
    }

    void finish() {}
};

}  // namespace quiesce::models
