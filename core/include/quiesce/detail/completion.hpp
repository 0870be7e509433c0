// The end of something that several wait for, and the references that keep its record until all have seen it.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "quiesce/detail/lock_hold.hpp"
#include "quiesce/platform.hpp"

namespace quiesce::detail {

template <class P>
class completion {
public:
    using function = void (*)(void*);
    using cell = typename P::template atomic<std::uint32_t>;

    explicit completion(std::uint32_t references) : references_(references) {}
    completion(const completion&) = delete;
    completion& operator=(const completion&) = delete;

    void acquire() { references_.fetch_add(1, std::memory_order_relaxed); }

    /// Returns whether that was the last one.
    bool release() {
        // [end.4] release, so that what each holder did happens before the memory goes, and acquire for the last.
        return references_.fetch_sub(1, P::seeded(defect::reference_given_up_relaxed) ? std::memory_order_relaxed
                                                                                      : std::memory_order_acq_rel) == 1;
    }

    bool ended() const {
        // [end.3] acquire pairs with [end.2].
        return ended_.load(std::memory_order_acquire) != 0;
    }

    /// What to wait for until it `is_set`, with acquire.
    cell& ended_cell() { return ended_; }
    static bool is_set(std::uint32_t flag) { return flag != 0; }

    /// Once. Outside every lock; the caller holds a reference.
    void end() {
        function notify = nullptr;
        {
            const lock_hold hold(lock_);
            // [end.2] release pairs with [end.3]: all that was done to come to the end happens before whoever finds it
            // goes on.
            ended_.store(
                1, P::seeded(defect::end_published_relaxed) ? std::memory_order_relaxed : std::memory_order_release);
            notify = std::exchange(on_end_, nullptr);
        }
        P::wake(ended_);
        if (notify != nullptr) {
            notify(context_);
        }
    }

    /// Calls `f(context)` at the end, or now if it has come. A later one replaces it.
    void on_end(function f, void* context) {
        {
            const lock_hold hold(lock_);
            if (ended_.load(std::memory_order_relaxed) == 0) {
                on_end_ = f;
                context_ = context;
                return;
            }
        }
        f(context);
    }

    // Around a fork.
    void before_fork() { lock_.lock(); }
    void after_fork() { lock_.unlock(); }

private:
    cell references_;
    cell ended_{0};
    typename P::mutex lock_;
    // Under the lock.
    function on_end_ = nullptr;
    void* context_ = nullptr;
};

}  // namespace quiesce::detail
