// What the program and the library know of each other.
#pragma once

#include <atomic>
#include <cstdint>

#include <quiesce/rcu.hpp>

/// The program, which outlives the library.
struct host {
    /// The second domain of a staged cache: its readers may block.
    quiesce::rcu_domain tasks;
    /// Objects whose end is code of the library: how many there were, and how many have come to it.
    std::atomic<std::uint64_t> made{0};
    std::atomic<std::uint64_t> gone{0};
    /// Caches of the library, likewise. A cache may end after the library, so who hears of it is the program.
    std::atomic<std::uint64_t> caches_made{0};
    std::atomic<std::uint64_t> caches_ended{0};
    void (*cache_ended)(void* host) = nullptr;
};

/// What a library can leave behind that needs its code.
enum class leftover {
    callback,    ///< of rcu_retire
    deleter,     ///< of free_rcu
    destructor,  ///< of objects in a cache
};

/// The library.
struct plugin {
    void (*begin)(host& home);
    /// From any number of threads.
    void (*use)();
    /// After this nothing that is pending needs the library's code. Nobody is in `use` any more. Blocks.
    void (*stop)();
    /// Lets go of everything, and leaves objects and caches behind that end by themselves; returns how many objects.
    /// Waits for nothing.
    std::uint64_t (*close)();
    /// In place of `stop`, what a careless library does: leaves something behind that needs its code.
    void (*leave)(leftover what);
};

/// What the library offers by its name.
extern "C" const plugin* load_plugin();
