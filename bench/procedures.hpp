// The measuring itself: each procedure is written once, and every library goes through it.
//
// A scheme is one way to free later. It has
//     scheme()                    what the process sets up once
//     finish()                    returns after everything deferred before the call, by any thread, is freed
//     thread_state(scheme&)       what a thread sets up; destroyed on the same thread
//       allocate_and_free_later() allocates one object, writes to it, defers its free
//       finish()                  what the library wants done by the thread itself before the scheme's finish
#pragma once

#include <fmt/format.h>

#include <array>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <thread>
#include <vector>

#include "bench/clocks.hpp"
#include "bench/freed.hpp"
#include "bench/measurement.hpp"

namespace quiesce::bench {

/// The size of what is allocated, the library's own header in it included.
inline constexpr std::size_t object_size = 64;

inline constexpr unsigned frees_before_barrier = 1000;

/// A first part that is not measured: threads are started, pools filled, branches learnt.
constexpr std::uint64_t warm_up(std::uint64_t work) {
    return work / 10 + 1;
}

inline void require_all_freed(std::uint64_t expected, std::uint64_t actual) {
    if (actual != expected) {
        throw std::runtime_error(
            fmt::format("{} of {} objects were freed when the barrier returned", actual, expected));
    }
}

/// Reader: constructed on the thread that reads; section() enters and leaves.
template <class Reader>
sample read_side(const workload& work) {
    Reader reader;
    const auto pass = [&reader](std::uint64_t sections) {
        for (std::uint64_t i = 0; i < sections; ++i) {
            reader.section();
        }
    };
    pass(warm_up(work.sections));
    const stopwatch watch;
    pass(work.sections);
    const elapsed e = watch.read();
    const auto n = static_cast<double>(work.sections);
    return {e.wall_ns / n, e.processor_ns / n, ""};
}

/// Nanoseconds from start to the last free, divided by the objects of all threads.
template <class Scheme, unsigned Threads>
sample free_later(const workload& work) {
    const std::array<std::uint64_t, 2> passes{warm_up(work.objects), work.objects};
    Scheme scheme;
    std::barrier in_step(std::ptrdiff_t{Threads} + 1);
    std::vector<std::jthread> threads;
    threads.reserve(Threads);
    for (unsigned i = 0; i < Threads; ++i) {
        threads.emplace_back([&] {
            typename Scheme::thread_state self(scheme);
            for (const std::uint64_t objects : passes) {
                in_step.arrive_and_wait();
                for (std::uint64_t n = 0; n < objects; ++n) {
                    self.allocate_and_free_later();
                }
                self.finish();
                in_step.arrive_and_wait();
                // The end of a thread, and what it then hands over, is not part of the time.
                in_step.arrive_and_wait();
            }
        });
    }

    elapsed e;
    std::uint64_t expected = 0;
    std::uint64_t actual = 0;
    for (const std::uint64_t objects : passes) {
        const std::uint64_t before = freed();
        const stopwatch watch;
        in_step.arrive_and_wait();
        in_step.arrive_and_wait();
        scheme.finish();
        e = watch.read();
        expected += Threads * objects;
        actual += freed() - before;
        in_step.arrive_and_wait();
    }
    threads.clear();
    require_all_freed(expected, actual);
    const auto n = static_cast<double>(Threads * work.objects);
    return {e.wall_ns / n, e.processor_ns / n, ""};
}

/// Microseconds of the barrier alone, the mean of some in one process.
template <class Scheme>
sample barrier_latency(const workload& /*work*/) {
    constexpr unsigned rounds = 10;
    Scheme scheme;
    typename Scheme::thread_state self(scheme);
    elapsed sum;
    // One round more than counts: the first starts the library's threads.
    for (unsigned round = 0; round <= rounds; ++round) {
        const std::uint64_t before = freed();
        for (unsigned i = 0; i < frees_before_barrier; ++i) {
            self.allocate_and_free_later();
        }
        const stopwatch watch;
        self.finish();
        scheme.finish();
        const elapsed e = watch.read();
        require_all_freed(frees_before_barrier, freed() - before);
        if (round != 0) {
            sum.wall_ns += e.wall_ns;
            sum.processor_ns += e.processor_ns;
        }
    }
    return {sum.wall_ns / rounds / 1000, sum.processor_ns / rounds / 1000, ""};
}

/// The process's peak in megabytes.
template <class Scheme>
sample flood(const workload& work) {
    constexpr std::uint64_t between_looks_at_the_clock = 256;
    constexpr std::uint64_t between_looks_at_memory = 65'536;
    constexpr double megabyte = 1e6;
    const std::uint64_t limit = flood_limit_bytes();
    bool stopped = false;
    std::uint64_t objects = 0;
    Scheme scheme;
    typename Scheme::thread_state self(scheme);
    const stopwatch watch;
    while (!stopped && watch.read().wall_ns < work.seconds * 1e9) {
        for (std::uint64_t i = 0; i < between_looks_at_the_clock; ++i) {
            self.allocate_and_free_later();
        }
        objects += between_looks_at_the_clock;
        // A library that does not hold its producers back must not take the machine with it.
        stopped = objects % between_looks_at_memory == 0 && resident_bytes() > limit;
    }
    const double flooded_ns = watch.read().wall_ns;
    self.finish();
    scheme.finish();
    const double all_ns = watch.read().wall_ns;
    require_all_freed(objects, freed());
    std::string note = fmt::format("{:.1f} million freed per second", static_cast<double>(objects) / all_ns * 1e3);
    if (stopped) {
        note += fmt::format("; stopped for lack of memory after {:.1f} s", flooded_ns / 1e9);
    }
    return {static_cast<double>(peak_resident_bytes()) / megabyte, 0, std::move(note)};
}

/// A scheme in every table that is about freeing later.
template <class Scheme>
void register_scheme(std::string_view name, side whose) {
    registration(group::free_later, name, whose, &free_later<Scheme, 1>);
    registration(group::free_later_two_threads, name, whose, &free_later<Scheme, 2>);
}

}  // namespace quiesce::bench
