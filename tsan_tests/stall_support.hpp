// What the tests of stall reports share.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <latch>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tsan_tests/free_rcu_support.hpp"

namespace quiesce::tests {

/// Keeps the stall reports of a domain.
class kept_stalls {
public:
    static constexpr unsigned after_ms = 20;

    stall_options options(unsigned after = after_ms) { return {after, &hear, this, "tested"}; }

    std::vector<stall_report> all() {
        const std::scoped_lock hold(lock_);
        return kept_;
    }
    std::size_t count(stall_kind kind) {
        const std::scoped_lock hold(lock_);
        std::size_t n = 0;
        for (const stall_report& r : kept_) {
            n += r.kind == kind ? 1U : 0U;
        }
        return n;
    }
    /// Waits for the first of that kind.
    stall_report first(stall_kind kind = stall_kind::readers) {
        EXPECT_TRUE(eventually([&] { return count(kind) != 0; })) << "nothing was reported";
        for (const stall_report& r : all()) {
            if (r.kind == kind) {
                return r;
            }
        }
        return {};
    }

private:
    static void hear(const stall_report& r, void* self) noexcept {
        auto* const k = static_cast<kept_stalls*>(self);
        const std::scoped_lock hold(k->lock_);
        k->kept_.push_back(r);
    }

    std::mutex lock_;
    std::vector<stall_report> kept_;
};

/// A thread in a section that waits for a lock, for as long as the other tests are patient, until it has the lock or
/// `told()` says that it is known who must leave. From the constructor on it is in the section.
template <class Told>
class reader_of_a_lock {
public:
    reader_of_a_lock(rcu_domain& domain, std::timed_mutex& lock, Told told)
        : thread_([this, &domain, &lock, told] {
              number_ = static_cast<std::uint32_t>(::gettid());
              const std::scoped_lock section(domain);
              inside_.count_down();
              const auto deadline = std::chrono::steady_clock::now() + patience;
              while (!told() && !lock.try_lock_for(1ms) && std::chrono::steady_clock::now() < deadline) {
              }
          }) {
        inside_.wait();
    }

    std::uint32_t number() const { return number_; }

private:
    std::uint32_t number_ = 0;
    std::latch inside_{1};
    std::jthread thread_;
};

/// A domain whose reports are kept.
class StallReport : public testing::Test {
protected:
    StallReport() { domain.report_stalls(stalls.options()); }
    ~StallReport() override {
        domain.free_rcu_barrier();
        domain.barrier();
    }

    kept_stalls stalls;
    rcu_domain domain;
};

}  // namespace quiesce::tests
