// What the tests of free_rcu share.
#pragma once

#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <mutex>
#include <semaphore>
#include <thread>

#include "quiesce/free_rcu.hpp"

namespace quiesce::tests {

using namespace std::chrono_literals;

/// How long to wait for what must happen. What does not come by then never comes.
inline constexpr auto patience = 10s;

/// Objects that fill a block.
inline constexpr int block = native_platform::limits().free_block_entries;

/// Counts its destructions where it is told.
struct headless {
    explicit headless(std::atomic<int>& count) : deleted(&count) {}
    headless(const headless&) = delete;
    headless& operator=(const headless&) = delete;
    ~headless() { deleted->fetch_add(1); }
    std::atomic<int>* deleted;
};

/// The same with a head, for domains of that platform.
template <platform P>
struct headed_of : basic_rcu_head<P>, headless {
    using headless::headless;
};
using headed = headed_of<native_platform>;

/// Defers `count` new objects.
template <class T, platform P>
void defer(int count, std::atomic<int>& deleted, basic_rcu_domain<P>& domain) {
    for (int i = 0; i != count; ++i) {
        free_rcu(new T(deleted), std::default_delete<T>(), domain);
    }
}

/// A thread inside a section, until it is told to leave it; at the latest when patience ends.
class reader {
public:
    explicit reader(rcu_domain& domain)
        : thread_([this, &domain] {
              const std::scoped_lock section(domain);
              inside_.count_down();
              (void)leave_.try_acquire_for(patience);
          }) {
        inside_.wait();
    }
    ~reader() { leave(); }

    void leave() {
        if (thread_.joinable()) {
            left_ = true;
            leave_.release();
            thread_.join();
        }
    }

    /// Whether it was told to leave.
    bool left() const { return left_; }

    /// Leaves after the given time, which the returned thread waits for.
    std::jthread leave_after(std::chrono::milliseconds time) {
        return std::jthread([this, time] {
            std::this_thread::sleep_for(time);
            leave();
        });
    }

private:
    std::latch inside_{1};
    std::binary_semaphore leave_{0};
    std::atomic<bool> left_{false};
    std::thread thread_;
};

template <class Condition>
bool eventually(Condition holds) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!holds()) {
        if (std::chrono::steady_clock::now() >= deadline) {
            return false;
        }
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

}  // namespace quiesce::tests
