// The scenarios that an engine was built with.
#pragma once

#include "proofs/scenarios/platform.hpp"
#include "relacy_models/scenario.hpp"

namespace quiesce::models::proofs {

struct entry {
    const scenario_info* info;
    /// One execution: the set-up, the threads, the end.
    void (*program)();
    const entry* next;
};

/// The most recently registered scenario, or null.
inline const entry*& first_entry() {
    static const entry* first = nullptr;
    return first;
}

template <class Scenario>
void execute() {
    static_assert(Scenario::info.threads < max_threads);
    reached.begin_execution();
    instance of_this_execution;
    current = &of_this_execution;
    Scenario s;
    // Numbered from 1 on.
    explorer::thread threads[max_threads];
    for (unsigned i = 0; i != Scenario::info.threads; ++i) {
        threads[i] = explorer::thread([&s, i] {
            s.thread(i);
            if (!Scenario::info.exits_last) {
                current->slots.exit_thread(i + 1);
            }
        });
    }
    for (unsigned i = 0; i != Scenario::info.threads; ++i) {
        threads[i].join();
    }
    if (Scenario::info.exits_last) {
        for (unsigned i = 0; i != Scenario::info.threads; ++i) {
            current->slots.exit_thread(i + 1);
        }
    }
    s.finish();
    current->slots.exit_thread(0);
}

/// Registers a scenario when a static of this type is built.
template <class Scenario>
struct registration {
    entry e{&Scenario::info, &execute<Scenario>, first_entry()};
    registration() { first_entry() = &e; }
};

}  // namespace quiesce::models::proofs
