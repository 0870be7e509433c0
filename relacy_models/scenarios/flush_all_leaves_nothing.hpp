// A callback queues another, which gives an object to free_rcu, while a thread flushes: what it looks for moves on from
// one place to the next.
#pragma once

#include "relacy_models/scenarios/support.hpp"

namespace quiesce::models {

template <class P>
struct flush_all_leaves_nothing {
    static constexpr defect_info defects[] = {
        {defect::flush_looks_once, "flush_looks_once", "", "data_race assertion",
         "Afek, Attiya, Dolev, Gafni, Merritt and Shavit, 1993, on snapshots by two equal collects",
         "flush_all looks at one place after another, once, and takes that for the state of all"},
        {defect::batch_ends_without_waking, "batch_ends_without_waking", "", "deadlock",
         "Franke, Russell and Kirkwood, 2002, on futexes",
         "whoever ran callbacks does not wake a flush_all that waits for it to be through with them"},
    };
    static constexpr std::string_view must_reach[] = {"all was done"};
    static constexpr scenario_info info{"flush_all_leaves_nothing",
                                        "flush_all returns when nothing is deferred or queued, wherever it came from",
                                        "C9",
                                        2,
                                        defects,
                                        must_reach,
                                        false,
                                        1,
                                        {},
                                        true,
                                        true};

    struct callback : basic_rcu_head<P> {
        flush_all_leaves_nothing* self = nullptr;
    };

    basic_rcu_domain<P> domain;
    callback first;
    callback second;
    noted_callback<P> last;
    departures<P> over;
    typename P::template atomic<unsigned> never{0};

    signal<P> ready;

    flush_all_leaves_nothing() {
        first.self = this;
        second.self = this;
        P::name(last.ran, "last.ran");
        if (smallest<P>()) {
            // Its grace period is another scenario's.
            domain.retire(&first, &run_first);
            while (domain.advance_grace_period() != step_result::idle) {
            }
        }
    }

    static flush_all_leaves_nothing& scenario_of(basic_rcu_head<P>* h) { return *static_cast<callback*>(h)->self; }

    static void run_first(basic_rcu_head<P>* h) {
        auto& self = scenario_of(h);
        self.domain.retire(&self.second, &run_second);
    }
    static void run_second(basic_rcu_head<P>* h) {
        auto& self = scenario_of(h);
        self.domain.free_rcu(&self.last, &noted_callback<P>::run);
    }

    void thread(unsigned i) {
        if (smallest<P>()) {
            i == 0 ? flush_once() : serve_once();
        } else {
            i == 0 ? flush() : serve();
        }
    }

    void flush() {
        domain.retire(&first, &run_first);
        domain.flush_all();
        expect_all_done();
        over.leave(domain);
    }
    void serve() {
        drive_steps(
            domain,
            [this](step_result& step) {
                bool did = domain.monitor_step();
                step = domain.advance_grace_period();
                did |= domain.free_step() != 0;
                if (domain.reclaim_step() == 0) {
                    return did;
                }
                pause();
                return true;
            },
            over.all(1));
    }

    // One round, and a driver that goes no further before the flush asks for it, or is through before the flush begins,
    // and ends when it has taken the steps that lead to the last.
    void flush_once() {
        ready.await();
        if (domain.flush_round()) {
            expect_all_done();
        }
    }
    void serve_once() {
        const bool is_asked = P::choose(2) != 0;
        if (is_asked) {
            const std::uint64_t epoch = domain.work_epoch();
            ready.give();
            domain.wait_for_work(epoch, 0);
            (void)domain.reclaim_step();
        }
        (void)domain.reclaim_step();
        pause();
        (void)domain.advance_grace_period();
        (void)domain.reclaim_step();
        pause();
        (void)domain.monitor_step();
        (void)domain.advance_grace_period();
        (void)domain.free_step();
        if (!is_asked) {
            ready.give();
        }
    }

    // What a callback queued or deferred may stay so for a moment.
    void pause() {
        (void)P::await_for(
            never, [](unsigned n) { return n != 0; }, std::memory_order_relaxed, 1);
    }

    void expect_all_done() {
        P::check(last.ran.get() == 1, "flush_all returned before everything was done");
        P::reached("all was done");
    }

    void finish() { drain(domain); }
};

}  // namespace quiesce::models
