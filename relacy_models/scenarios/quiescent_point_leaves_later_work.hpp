// A callback and a deleter of a domain for one thread that queue themselves again.
#pragma once

#include "quiesce/single_thread_platform.hpp"
#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct quiescent_point_leaves_later_work {
    static constexpr defect_info defects[] = {
        {defect::quiescent_point_serves_itself, "quiescent_point_serves_itself", "", "assertion",
         "rcu_process_callbacks, kernel/rcu/tiny.c of Linux, which detaches the list before it runs callbacks",
         "a quiescent point goes on until nothing is left, so a callback that queues itself again is met there"},
    };
    static constexpr std::string_view must_reach[] = {"a callback queued itself again",
                                                      "a deleter deferred itself again"};
    static constexpr scenario_info info{
        "quiescent_point_leaves_later_work",
        "what a callback or deleter queues or defers at a quiescent point is run at the next one",
        "C11",
        2,
        defects,
        must_reach,
        true};

    using one = single_thread_platform<P>;
    using head = basic_rcu_head<one>;

    struct repeated : head {
        quiescent_point_leaves_later_work* owner = nullptr;
        unsigned left = 0;
        unsigned ran = 0;
    };

    basic_rcu_domain<one> domain;
    repeated callback;
    repeated deleter;
    signal<P> handed_over;

    static void run_callback(head* h) {
        auto* const self = static_cast<repeated*>(h);
        ++self->ran;
        if (self->left != 0) {
            --self->left;
            P::reached(must_reach[0]);
            self->owner->domain.retire(self, &run_callback);
        }
    }
    static void run_deleter(head* h) {
        auto* const self = static_cast<repeated*>(h);
        ++self->ran;
        if (self->left != 0) {
            --self->left;
            P::reached(must_reach[1]);
            self->owner->domain.free_rcu(self, &run_deleter);
        }
    }

    void thread(unsigned i) {
        if (i == 0) {
            callback.owner = deleter.owner = this;
            callback.left = P::choose(3);
            deleter.left = P::choose(3);
            if (P::choose(2) != 0) {
                domain.retire(&callback, &run_callback);
                domain.free_rcu(&deleter, &run_deleter);
            } else {
                domain.lock();
                domain.free_rcu(&deleter, &run_deleter);
                domain.retire(&callback, &run_callback);
                domain.unlock();
            }
            handed_over.give();
            return;
        }
        handed_over.await();
        const unsigned callbacks = callback.left + 1;
        const unsigned deleters = deleter.left + 1;
        for (unsigned point = 1; point != 4; ++point) {
            domain.quiescent_point();
            P::check(callback.ran == (point < callbacks ? point : callbacks), "a callback ran at the wrong point");
            P::check(deleter.ran == (point < deleters ? point : deleters), "a deleter ran at the wrong point");
        }
    }

    void finish() {}
};

}  // namespace quiesce::models
