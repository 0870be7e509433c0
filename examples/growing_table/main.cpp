// Grows a two-level table 8,192 times while readers use it, and frees the array that each step replaces in three ways:
// it waits for a grace period, it queues a callback, or it gives the array to free_rcu. README.md tells the story.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <thread>
#include <vector>

#include <quiesce/rcu_array.hpp>

namespace {

constexpr std::size_t steps = 8192;
constexpr unsigned readers = 2;
constexpr unsigned scan = 256;

/// The second level: a block of descriptors, which is never freed as long as the table is there.
struct block {
    explicit block(std::size_t n) {
        for (std::uint64_t& d : descriptors) {
            d = n;
        }
    }
    std::uint64_t descriptors[8];
};

/// The first level, written by hand as a file system has it: an array that is replaced by one that is longer by one.
/// `FreeLater` is what becomes of the old one.
template <class FreeLater>
class replaced_array {
public:
    ~replaced_array() { delete[] blocks_.load(); }

    void add(block* b) {
        const std::size_t count = count_.load(std::memory_order_relaxed);
        block** const old = blocks_.load(std::memory_order_relaxed);
        auto** const fresh = new block*[count + 1];
        if (count != 0) {
            std::memcpy(fresh, old, count * sizeof(block*));
        }
        fresh[count] = b;
        blocks_.store(fresh, std::memory_order_release);
        count_.store(count + 1, std::memory_order_release);
        FreeLater()(old);
    }

    block* find(std::size_t i) const {
        const std::scoped_lock section(quiesce::rcu_default_domain());
        // The count first: the array is at least that long.
        return i < count_.load(std::memory_order_acquire) ? blocks_.load(std::memory_order_acquire)[i] : nullptr;
    }

private:
    std::atomic<std::size_t> count_{0};
    std::atomic<block**> blocks_{nullptr};
};

struct synchronize {
    void operator()(block** old) const {
        quiesce::rcu_synchronize();
        delete[] old;
    }
};

/// An array has no place for a head, so each step allocates one beside it.
struct callback {
    void operator()(block** old) const {
        if (old != nullptr) {
            quiesce::rcu_retire(old, [](block** o) { delete[] o; });
        }
    }
};

/// The same table from the library: free_rcu of whatever the array lies in, which needs no head.
class headless_array {
public:
    void add(block* b) {
        const std::size_t count = blocks_.size();
        blocks_.grow(count + 1);  // by one, as the others
        blocks_.exchange(count, b);
    }
    block* find(std::size_t i) const { return blocks_.get(i).value_or(nullptr); }

private:
    quiesce::rcu_array<block*> blocks_;
};

double milliseconds(std::chrono::steady_clock::duration d) {
    return std::chrono::duration<double, std::milli>(d).count();
}

struct measured {
    double milliseconds = 0;
    double longest_step = 0;
    std::uint64_t reads = 0;
    std::uint64_t wrong = 0;
};

template <class Table>
measured grow() {
    std::vector<std::unique_ptr<block>> second_level;
    for (std::size_t i = 0; i != steps; ++i) {
        second_level.push_back(std::make_unique<block>(i));
    }
    Table table;
    std::atomic<std::size_t> grown{0};
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> reads{0};
    std::atomic<std::uint64_t> wrong{0};
    measured m;
    {
        std::vector<std::jthread> threads;
        for (unsigned r = 0; r != readers; ++r) {
            threads.emplace_back([&] {
                for (std::uint64_t n = 0; !stop;) {
                    const std::size_t size = grown.load(std::memory_order_acquire);
                    if (size == 0) {
                        continue;
                    }
                    {
                        // A scan in one section, as an allocation of many blocks makes it.
                        const std::scoped_lock section(quiesce::rcu_default_domain());
                        for (const std::uint64_t end = n + scan; n != end; ++n) {
                            const std::size_t i = n * 7919 % size;
                            const block* const b = table.find(i);
                            if (b == nullptr || b->descriptors[n % 8] != i) {
                                wrong.fetch_add(1);
                            }
                        }
                    }
                    reads.fetch_add(scan, std::memory_order_relaxed);
                }
            });
        }
        const auto began = std::chrono::steady_clock::now();
        auto last = began;
        for (std::size_t i = 0; i != steps; ++i) {
            table.add(second_level[i].get());
            grown.store(i + 1, std::memory_order_release);
            const auto now = std::chrono::steady_clock::now();
            m.longest_step = std::max(m.longest_step, milliseconds(now - last));
            last = now;
        }
        m.milliseconds = milliseconds(last - began);
        stop = true;
    }
    quiesce::flush_all();
    m.reads = reads;
    m.wrong = wrong;
    return m;
}

// In a process of its own, so that the peak of its memory is its own.
template <class Table>
bool measure(const char* way) {
    std::fflush(stdout);
    const pid_t child = ::fork();
    if (child == 0) {
        const measured m = grow<Table>();
        rusage used{};
        ::getrusage(RUSAGE_SELF, &used);
        const quiesce::rcu_domain& domain = quiesce::rcu_default_domain();
        if (m.wrong != 0 || m.reads == 0 || domain.backlog() != 0) {
            std::fprintf(stderr, "%s: %llu of %llu reads were wrong, %llu arrays are left\n", way,
                         static_cast<unsigned long long>(m.wrong), static_cast<unsigned long long>(m.reads),
                         static_cast<unsigned long long>(domain.backlog()));
            ::_exit(1);
        }
        std::printf("%-12s %8.0f ms %10ld KiB %11.2f ms %14llu\n", way, m.milliseconds, used.ru_maxrss, m.longest_step,
                    static_cast<unsigned long long>(m.reads));
        std::fflush(stdout);
        ::_exit(0);
    }
    int status = 1;
    return child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
}

}  // namespace

int main() {
    std::printf("%zu steps, %u readers\n%-12s %11s %14s %14s %14s\n", steps, readers, "way", "time", "peak memory",
                "longest step", "reads");
    const bool all = measure<replaced_array<synchronize>>("synchronize") &&
                     measure<replaced_array<callback>>("callback") && measure<headless_array>("headless");
    return all ? EXIT_SUCCESS : EXIT_FAILURE;
}
