// Loads a library a thousand times and closes it while what it freed is in flight. README.md tells the story.
#include <signal.h>
#include <unistd.h>

#include <barrier>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <quiesce/free_rcu.hpp>

#include "loaded_library.hpp"
#include "plugin.hpp"

namespace {

void cache_ended(void* context) {
    auto& ended = static_cast<host*>(context)->caches_ended;
    ended.fetch_add(1);
    ended.notify_all();
}

/// Threads that use the library and outlive it, with whatever they keep of its caches.
class users {
public:
    explicit users(unsigned threads) : met_(threads + 1) {
        for (unsigned i = 0; i != threads; ++i) {
            threads_.emplace_back([this] { work(); });
        }
    }
    users(const users&) = delete;
    users& operator=(const users&) = delete;
    ~users() {
        use_ = nullptr;
        met_.arrive_and_wait();
    }

    /// Calls it in every thread.
    void run(void (*use)()) {
        use_ = use;
        met_.arrive_and_wait();
        met_.arrive_and_wait();
    }

private:
    void work() {
        for (;;) {
            met_.arrive_and_wait();
            if (use_ == nullptr) {
                return;
            }
            use_();
            met_.arrive_and_wait();
        }
    }

    std::barrier<> met_;
    void (*use_)() = nullptr;
    std::vector<std::jthread> threads_;
};

/// A reader in another thread: as long as it is there, no grace period ends that begins now.
class reader {
public:
    reader()
        : thread_([this] {
              const std::scoped_lock section(quiesce::rcu_default_domain());
              inside_.release();
              leave_.acquire();
          }) {
        inside_.acquire();
    }
    reader(const reader&) = delete;
    reader& operator=(const reader&) = delete;
    ~reader() { leave_.release(); }

private:
    std::binary_semaphore inside_{0};
    std::binary_semaphore leave_{0};
    std::jthread thread_;
};

std::uint64_t in_flight() {
    std::uint64_t objects = 0;
    for (const quiesce::cache_usage& cache : quiesce::rcu_default_domain().caches()) {
        objects += cache.in_flight;
    }
    return objects;
}

struct outcome {
    std::uint64_t closed = 0;
    std::uint64_t left_in_flight = 0;
};

void expect(bool holds, const std::string& otherwise) {
    if (!holds) {
        throw std::runtime_error(otherwise);
    }
}

void one_round(const std::string& path, host& home, users& threads, outcome& so_far) {
    loaded_library library(path);
    const plugin& p = *library.function<decltype(load_plugin)>("load_plugin")();
    p.begin(home);
    threads.run(p.use);
    p.stop();
    expect(home.made == home.gone, "something that needs the library's code is left when it is stopped");
    {
        const reader in_the_way;
        const std::uint64_t left = p.close();
        library.close();
        // What was on the lists of the staged cache was returned when that was destroyed.
        expect(in_flight() >= left / 3 * 2, "nothing was in flight when the library was closed");
        so_far.left_in_flight += left;
    }
    ++so_far.closed;
}

void close_again_and_again(const std::string& path, std::uint64_t rounds) {
    // Never destroyed by an exception while caches are left, which would be misuse.
    auto& home = *new host;
    home.cache_ended = &cache_ended;
    outcome o;
    {
        users threads(2);
        for (std::uint64_t i = 0; i != rounds; ++i) {
            one_round(path, home, threads, o);
        }
    }
    quiesce::flush_all();
    expect(home.caches_ended == home.caches_made, "a cache had not ended when everything was done");
    const auto number = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
    std::printf("closed and unmapped    %10llu times\n", number(o.closed));
    std::printf("in flight at that time %10llu objects\n", number(o.left_in_flight));
    std::printf("with code of its own   %10llu objects made, %llu gone\n", number(home.made), number(home.gone));
    std::printf("caches                 %10llu made, %llu ended\n", number(home.caches_made),
                number(home.caches_ended));
    std::printf("left at the end        %10llu caches, %llu objects\n",
                number(quiesce::rcu_default_domain().caches().size()), number(in_flight()));
    expect(quiesce::rcu_default_domain().caches().empty() && home.made == home.gone, "something was lost");
    delete &home;
}

// The other way round: a library that leaves something behind that needs its code.

const loaded_library* closed_library = nullptr;

void fault(int, siginfo_t* where, void*) {
    if (closed_library->contains(where->si_addr)) {
        constexpr char message[] = "unload: the domain called code of the library that was closed\n";
        (void)!::write(STDERR_FILENO, message, sizeof(message) - 1);
        ::_exit(3);
    }
    ::_exit(4);
}

void close_too_early(const std::string& path, leftover what) {
    struct sigaction action {};
    action.sa_sigaction = &fault;
    action.sa_flags = SA_SIGINFO;
    ::sigaction(SIGSEGV, &action, nullptr);
    auto& home = *new host;
    home.cache_ended = &cache_ended;
    loaded_library library(path);
    closed_library = &library;
    const plugin& p = *library.function<decltype(load_plugin)>("load_plugin")();
    p.begin(home);
    {
        const reader in_the_way;
        p.leave(what);
        (void)p.close();
        library.close();
    }
    quiesce::flush_all();
    throw std::runtime_error("the domain did not call code of the library that was closed");
}

leftover leftover_named(const std::string& name) {
    if (name == "callback") {
        return leftover::callback;
    }
    if (name == "deleter") {
        return leftover::deleter;
    }
    expect(name == "destructor", "what is left is a callback, a deleter or a destructor");
    return leftover::destructor;
}

}  // namespace

int main(int count, char** arguments) {
    std::string path = PLUGIN;
    std::uint64_t rounds = 1000;
    std::string leave;
    try {
        for (int i = 1; i + 1 < count; i += 2) {
            const std::string option = arguments[i];
            const std::string value = arguments[i + 1];
            if (option == "--library") {
                path = value;
            } else if (option == "--rounds") {
                rounds = std::stoull(value);
            } else if (option == "--leave") {
                leave = value;
            }
        }
        if (leave.empty()) {
            close_again_and_again(path, rounds);
        } else {
            close_too_early(path, leftover_named(leave));
        }
    } catch (const std::exception& e) {
        std::fprintf(stderr, "unload: %s\n", e.what());
        // Threads may still be in what is left.
        std::_Exit(EXIT_FAILURE);
    }
    return EXIT_SUCCESS;
}
