// Programs with a parameter, whose numbers of executions are known.
#pragma once

#include <quiesce/explorer.hpp>

#include <atomic>
#include <cstdint>
#include <vector>

namespace quiesce::explorer::families {

/// A program at a size, and what is known of it.
struct family {
    const char* name;
    void (*program)(unsigned);
    unsigned n;
    std::uint64_t executions;
};

/// Threads that are joined when the scope ends, in the order in which they were started.
class joined_threads {
public:
    joined_threads() = default;
    joined_threads(const joined_threads&) = delete;
    joined_threads& operator=(const joined_threads&) = delete;
    ~joined_threads() {
        for (thread& t : threads_) {
            t.join();
        }
    }
    template <class Body>
    void start(Body body) {
        threads_.emplace_back(body);
    }

private:
    std::vector<thread> threads_;
};

using cell = atomic<unsigned>;

/// N threads each store their own value to one location, one loads it: (N+1)!
inline void nwriters(unsigned n) {
    cell x{0};
    joined_threads threads;
    for (unsigned i = 0; i != n; ++i) {
        threads.start([&x, i] { x.store(i + 1, std::memory_order_relaxed); });
    }
    threads.start([&x] { (void)x.load(std::memory_order_relaxed); });
}

/// One thread stores, N load: 2^N.
inline void readers(unsigned n) {
    cell x{0};
    joined_threads threads;
    threads.start([&x] { x.store(1, std::memory_order_relaxed); });
    for (unsigned i = 0; i != n; ++i) {
        threads.start([&x] { (void)x.load(std::memory_order_relaxed); });
    }
}

/// Thread i makes a[i] one more than a[i-1]; one looks for the last zero.
inline void lastzero(unsigned n) {
    std::vector<cell> a(n + 1);
    joined_threads threads;
    for (unsigned i = 1; i <= n; ++i) {
        threads.start([&a, i] {
            const unsigned v = a[i - 1].load(std::memory_order_acquire);
            a[i].store(v + 1, std::memory_order_release);
        });
    }
    threads.start([&a, n] {
        unsigned k = n;
        while (a[k].load(std::memory_order_acquire) != 0) {
            --k;
        }
    });
}

/// N threads increment one location: N!
inline void ainc(unsigned n) {
    cell x{0};
    joined_threads threads;
    for (unsigned i = 0; i != n; ++i) {
        threads.start([&x] { x.fetch_add(1, std::memory_order_relaxed); });
    }
}

/// Thread i stores x[i], then loads its neighbour: 2^N.
inline void sbring(unsigned n) {
    std::vector<cell> x(n);
    joined_threads threads;
    for (unsigned i = 0; i != n; ++i) {
        threads.start([&x, i, n] {
            x[i].store(1, std::memory_order_relaxed);
            (void)x[(i + 1) % n].load(std::memory_order_relaxed);
        });
    }
}

/// N threads at a ticket lock: N!, and no execution in which one waits for what never comes.
inline void ticket(unsigned n) {
    cell next{0};
    cell owner{0};
    plain<unsigned> shared{0};
    joined_threads threads;
    for (unsigned i = 0; i != n; ++i) {
        threads.start([&] {
            const unsigned mine = next.fetch_add(1, std::memory_order_relaxed);
            owner.await([mine](unsigned now) { return now == mine; }, std::memory_order_acquire);
            shared.set(mine);
            check(shared.get() == mine, "two threads hold the lock");
            owner.store(mine + 1, std::memory_order_release);
        });
    }
}

}  // namespace quiesce::explorer::families
