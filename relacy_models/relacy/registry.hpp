// The scenarios that this binary was built with, behind type-erased entries, so that Relacy's simulation is
// instantiated once for each number of threads and not once for each scenario.
#pragma once

#include <cstddef>
#include <new>

#include "relacy_models/scenario.hpp"

namespace quiesce::models::relacy {

struct entry {
    const scenario_info* info;
    std::size_t bytes;
    std::size_t alignment;
    void (*construct)(void*);
    void (*destroy)(void*);
    void (*thread)(void*, unsigned);
    void (*finish)(void*);
    const entry* next;
};

/// The most recently registered scenario, or null.
const entry*& first_entry();

/// Registers a scenario when a static of this type is built; one in each scenario's translation unit.
template <class Scenario>
struct registration {
    entry e{&Scenario::info,
            sizeof(Scenario),
            alignof(Scenario),
            [](void* at) { ::new (at) Scenario(); },
            [](void* s) { static_cast<Scenario*>(s)->~Scenario(); },
            [](void* s, unsigned i) { static_cast<Scenario*>(s)->thread(i); },
            [](void* s) { static_cast<Scenario*>(s)->finish(); },
            first_entry()};
    registration() { first_entry() = &e; }
};

}  // namespace quiesce::models::relacy
