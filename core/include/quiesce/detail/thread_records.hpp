// One record for each thread that ever used a domain.
//
// Records form a list that only grows, so that whoever must visit them all walks it without a lock; a record is handed
// on to a later thread when its owner exits. A record has `next` and `owned`, the number of the thread that owns it,
// which is the calling thread's in a new one.
#pragma once

#include <atomic>
#include <cstdint>
#include <new>

#include "quiesce/platform.hpp"

namespace quiesce::detail {

template <class P, class Record>
class thread_records {
public:
    using record = Record;

    thread_records() { P::name(head_, "records.head"); }
    thread_records(const thread_records&) = delete;
    thread_records& operator=(const thread_records&) = delete;

    ~thread_records() {
        // Relaxed: every use of the records happens before this.
        record* r = head_.load(std::memory_order_relaxed);
        while (r != nullptr) {
            record* const next = r->next.get();
            r->~record();
            P::deallocate(r, sizeof(record), alignof(record));
            r = next;
        }
    }

    /// A record for the calling thread: one whose owner has exited, or a new one; null when there is no memory for it.
    record* claim() {
        const std::uint32_t self = P::thread_id();
        for (record* r = first(); r != nullptr; r = r->next.get()) {
            std::uint32_t free = 0;
            // [reg.1] acquire pairs with [reg.2]: the previous owner's words are read after it. A read-modify-write, so
            // that whoever finds this owner by [stl.2] has [reg.2] behind it too.
            if (r->owned.compare_exchange_strong(free, self, std::memory_order_acquire, std::memory_order_relaxed)) {
                return r;
            }
        }
        void* const memory = P::allocate(sizeof(record), alignof(record));
        if (memory == nullptr) {
            return nullptr;
        }
        auto* const r = ::new (memory) record();
        record* expected = head_.load(std::memory_order_relaxed);
        do {
            r->next.set(expected);
            // [reg.3] release pairs with [reg.4]: whoever finds the record finds it built.
        } while (!head_.compare_exchange_strong(
            expected, r,
            P::seeded(defect::record_published_relaxed) ? std::memory_order_relaxed : std::memory_order_release,
            std::memory_order_relaxed));
        return r;
    }

    /// Hands the calling thread's record on. What it left in it is the next owner's.
    void release(record* r) noexcept {
        if (P::seeded(defect::thread_exit_keeps_record)) {
            return;
        }
        // [reg.2] release pairs with [reg.1] and [stl.2].
        r->owned.store(
            0, P::seeded(defect::record_given_up_relaxed) ? std::memory_order_relaxed : std::memory_order_release);
    }

    /// The newest record; the others follow through `next`.
    record* first() noexcept {
        // [reg.4] acquire pairs with [reg.3].
        return head_.load(std::memory_order_acquire);
    }

private:
    typename P::template atomic<record*> head_{nullptr};
};

}  // namespace quiesce::detail
