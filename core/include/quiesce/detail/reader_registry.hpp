// The readers of a domain, one record for each thread that ever read in it.
//
// Records form a list that only grows, so a grace period walks it without a lock; a record is handed on to a later
// thread when its owner exits.
#pragma once

#include <atomic>
#include <cstdint>
#include <new>

#include "quiesce/platform.hpp"

namespace quiesce::detail {

template <class P>
struct alignas(64) reader_record {
    /// 0 outside sections; inside one, the newest grace period this thread knew of when it entered.
    typename P::template atomic<std::uint64_t> section{0};
    /// Non-zero while somebody may be parked on `section`.
    typename P::template atomic<std::uint32_t> waited{0};
    /// Non-zero while a thread owns the record.
    typename P::template atomic<std::uint32_t> owned{1};
    /// The owner's own words; handed on with the record through `owned`.
    typename P::template plain<std::uint64_t> seen{0};
    typename P::template plain<std::uint32_t> nesting{0};
    /// Written before the record is published.
    typename P::template plain<reader_record*> next{nullptr};

    reader_record() {
        P::name(section, "reader.section");
        P::name(waited, "reader.waited");
        P::name(owned, "reader.owned");
        P::name(seen, "reader.seen");
        P::name(nesting, "reader.nesting");
    }
};

template <class P>
class reader_registry {
public:
    using record = reader_record<P>;

    reader_registry() { P::name(head_, "readers.head"); }
    reader_registry(const reader_registry&) = delete;
    reader_registry& operator=(const reader_registry&) = delete;

    ~reader_registry() {
        record* r = head_.load(std::memory_order_acquire);
        while (r != nullptr) {
            record* const next = r->next.get();
            r->~record();
            P::deallocate(r, sizeof(record), alignof(record));
            r = next;
        }
    }

    /// A record for the calling thread: one whose owner has exited, or a new one.
    /// Throws std::bad_alloc when a new one cannot be had.
    record* claim() {
        for (record* r = first(); r != nullptr; r = r->next.get()) {
            std::uint32_t free = 0;
            // [reg.1] acquire pairs with [reg.2]: the previous owner's words are read after it.
            if (r->owned.compare_exchange_strong(free, 1, std::memory_order_acquire, std::memory_order_relaxed)) {
                return r;
            }
        }
        void* const memory = P::allocate(sizeof(record), alignof(record));
        if (memory == nullptr) {
            throw std::bad_alloc();
        }
        auto* const r = ::new (memory) record();
        record* expected = head_.load(std::memory_order_relaxed);
        do {
            r->next.set(expected);
            // [reg.3] release pairs with [reg.4]: whoever finds the record finds it built.
        } while (!head_.compare_exchange_weak(
            expected, r,
            P::seeded(defect::record_published_relaxed) ? std::memory_order_relaxed : std::memory_order_release,
            std::memory_order_relaxed));
        return r;
    }

    /// Hands the calling thread's record on. The thread must be outside sections.
    void release(record* r) noexcept {
        if (P::seeded(defect::thread_exit_keeps_record)) {
            return;
        }
        // [reg.2] release pairs with [reg.1].
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
