// Grace periods: who must be waited for, and the proof that each was.
//
// A counter numbers the grace periods. A reader entering a section announces in its own word the newest number it knew
// when it entered its *previous* section (a thread-local value), then passes a light fence, then reads the counter. A
// grace period increments the counter, passes a heavy fence, then waits for each reader's word to be 0 or at least its
// number. Either the grace period sees the announcement and waits, or the fences order its increment before the
// reader's load, which is an acquire, so that everything before the grace period happens before the section. Reading
// the counter after the fence, not before, is what makes that a happens-before edge and not only an order of fences;
// the announcement is therefore one section old, which costs a grace period at most one section more of waiting.
//
// Source: the structure is that of the memb flavour in Desnoyers, McKenney, Stern, Dagenais and Walpole, "User-Level
// Implementations of Read-Copy Update", 2012, with a 64-bit number in place of their phase bit, so that one pass over
// the readers is enough.
#pragma once

#include <atomic>
#include <cstdint>

#include "quiesce/detail/invariant.hpp"
#include "quiesce/detail/reader_registry.hpp"
#include "quiesce/platform.hpp"

namespace quiesce::detail {

enum class grace_period_state : std::uint8_t { idle, waiting_for_readers, completed };

template <class P>
class grace_period {
public:
    using record = reader_record<P>;

    grace_period() {
        P::name(started_, "gp.started");
        P::name(completed_, "gp.completed");
    }
    grace_period(const grace_period&) = delete;
    grace_period& operator=(const grace_period&) = delete;

    /// Begins a section of the record's owner.
    static void enter(record& r, grace_period& gp) {
        const std::uint32_t depth = r.nesting.get();
        r.nesting.set(depth + 1);
        if (depth != 0) {
            return;
        }
        if (P::seeded(defect::reader_announces_after_fence)) {
            // [gp.2], then [gp.1].
            P::light_fence();
            r.section.store(r.seen.get(), std::memory_order_release);
        } else {
            // [gp.1] release pairs with [gp.4]: a grace period that reads this announcement comes after the sections
            // that this thread ended earlier.
            r.section.store(r.seen.get(), P::seeded(defect::reader_announces_relaxed) ? std::memory_order_relaxed
                                                                                      : std::memory_order_release);
            if (!P::seeded(defect::reader_without_light_fence)) {
                // [gp.2] pairs with the heavy fence [gp.3].
                P::light_fence();
            }
        }
        // [gp.5] acquire pairs with [gp.6]: what came before a grace period that did not wait for this section happens
        // before the section.
        r.seen.set(gp.started_.load(P::seeded(defect::reader_reads_number_relaxed) ? std::memory_order_relaxed
                                                                                   : std::memory_order_acquire));
    }

    /// Ends a section of the record's owner. The caller has checked that there is one.
    static void leave(record& r) {
        const std::uint32_t depth = r.nesting.get() - 1;
        r.nesting.set(depth);
        if (depth != 0 && !P::seeded(defect::inner_unlock_ends_section)) {
            return;
        }
        const bool waited_early =
            P::seeded(defect::unlock_tests_waited_first) && r.waited.load(std::memory_order_relaxed) != 0;
        // [gp.7] release pairs with [gp.4]: the section happens before the end of a grace period that sees it over.
        r.section.store(0,
                        P::seeded(defect::reader_exit_relaxed) ? std::memory_order_relaxed : std::memory_order_release);
        if (P::seeded(defect::unlock_tests_waited_first)) {
            if (waited_early) {
                wake_parked(r);
            }
            return;
        }
        if (!P::seeded(defect::unlock_without_light_fence)) {
            // [gp.8] pairs with the heavy fence [gp.9]: either the one who parks sees the 0, or this thread sees the
            // ticket.
            P::light_fence();
        }
        if (r.waited.load(std::memory_order_relaxed) != 0) {
            wake_parked(r);
        }
    }

    /// The number of a grace period that begins after this call, and whose completion the caller may wait for.
    std::uint64_t snapshot() {
        if (P::seeded(defect::cookie_read_without_rmw)) {
            // [gp.10], as a load.
            return started_.load(std::memory_order_acquire) + 1;
        }
        // [gp.10] a read-modify-write, not a load: it reads the newest number, and the increment [gp.6] that follows it
        // in modification order reads from its release sequence, so what the caller did before happens before that
        // grace period.
        const std::uint64_t newest = started_.fetch_add(0, std::memory_order_acq_rel);
        // [gp.11], of a number that is one short.
        if (P::seeded(defect::grace_period_under_way_accepted) && completed_.load(std::memory_order_acquire) < newest) {
            return newest;
        }
        return newest + 1;
    }

    /// Whether grace period `number` is over; if so, it happens before the return.
    bool done(std::uint64_t number) {
        // [gp.11] acquire pairs with [gp.12].
        return completed_.load(std::memory_order_acquire) >= number;
    }

    // What follows is called under the domain's grace-period lock.

    bool under_way() const { return target_ != 0; }

    /// The number that `start` will give.
    std::uint64_t next_number() { return started_.load(std::memory_order_relaxed) + 1; }

    void start(reader_registry<P>& readers) {
        assert_invariant<P>("G1", [this] { return target_ == 0; });
        // [gp.6] release pairs with [gp.5], acquire with [gp.10].
        target_ = started_.fetch_add(1, std::memory_order_acq_rel) + 1;
        if (!P::seeded(defect::writer_without_heavy_fence)) {
            // [gp.3] pairs with the light fence [gp.2].
            P::heavy_fence();
        }
        cursor_ = readers.first();
        marked_ = false;
        noted_ = false;
    }

    /// Passes over the readers that need no more waiting; never blocks.
    grace_period_state scan() {
        while (cursor_ != nullptr) {
            if (blocks(*cursor_)) {
                return grace_period_state::waiting_for_readers;
            }
            step_over();
        }
        return grace_period_state::completed;
    }

    /// A reader in the way of a grace period; null when it has just left.
    struct obstacle {
        record* reader = nullptr;
        std::uint64_t ticket = 0;
    };

    /// After a scan that returned waiting_for_readers: what to park on.
    obstacle prepare_to_park() {
        record& r = *cursor_;
        const std::uint64_t ticket = ticket_of(target_);
        marked_ = true;
        if (r.waited.load(std::memory_order_relaxed) != ticket) {
            mark(r, ticket);
        }
        if (!P::seeded(defect::park_without_heavy_fence)) {
            // [gp.9] pairs with the light fence [gp.8].
            P::heavy_fence();
        }
        return blocks(r) ? obstacle{&r, ticket} : obstacle{};
    }

    /// Without the lock: waits until the reader has ended a section, or has been passed over, at most the given time (0
    /// waits without limit); returns whether it has. Not until its word changes: a reader that has begun another
    /// section meanwhile would be taken for one that is still in the way, and nobody would be told when it leaves.
    static bool park(const obstacle& in_the_way, unsigned milliseconds) {
        if (in_the_way.reader == nullptr) {
            return true;
        }
        if (P::seeded(defect::parked_on_the_section)) {
            P::await(
                in_the_way.reader->section,
                [t = in_the_way.ticket](std::uint64_t s) { return s == 0 || ticket_of(s) >= t; },
                std::memory_order_relaxed);
            return true;
        }
        // Relaxed: the scan, not this load, lets the grace period go on.
        const auto gone = [ticket = in_the_way.ticket](std::uint64_t w) { return w != ticket; };
        if (milliseconds != 0) {
            return P::await_for(in_the_way.reader->waited, gone, std::memory_order_relaxed, milliseconds);
        }
        P::await(in_the_way.reader->waited, gone, std::memory_order_relaxed);
        return true;
    }

    // Who has been in the way for how long, though readers store no time. A reader that is marked with a ticket takes
    // the mark away when it ends its section, so as long as the mark is there it is in the section in which it was
    // marked.

    /// The number of the grace period that is under way; 0 when none is.
    std::uint64_t number() const { return target_; }

    /// After a scan that returned waiting_for_readers: notes every reader that is in the way and not noted yet.
    void note_blocking(std::uint64_t now) {
        const std::uint64_t ticket = ticket_of(target_);
        marked_ = true;
        noted_ = true;
        for (record* r = cursor_; r != nullptr; r = r->next.get()) {
            if (blocks(*r) && r->waited.load(std::memory_order_relaxed) != ticket) {
                mark(*r, ticket);
            }
        }
        if (!P::seeded(defect::noted_without_heavy_fence)) {
            // [stl.1] pairs with the light fence [gp.8]: a reader that is still in the way after it sees the ticket
            // when it ends that section.
            P::heavy_fence();
        }
        for (record* r = cursor_; r != nullptr; r = r->next.get()) {
            if (r->noted.get() != target_ && blocks(*r) && r->waited.load(std::memory_order_relaxed) == ticket) {
                r->noted.set(target_);
                r->noted_at.set(now);
            }
        }
    }

    /// Calls `visit(thread, behind, noted_at)` for each reader that is still in the section in which it was noted.
    template <class Visit>
    void for_each_noted(Visit visit) {
        const bool late = P::seeded(defect::stalled_thread_read_late);
        for (record* r = cursor_; r != nullptr; r = r->next.get()) {
            // [gp.4]
            const std::uint64_t s = r->section.load(std::memory_order_acquire);
            if (s == 0 || s >= target_ || r->noted.get() != target_) {
                continue;
            }
            // [stl.2] acquire pairs with [reg.2]: whoever reads a later owner reads, next, that the mark is gone. The
            // section before this one ended before the section's word was stored, which [gp.4] found.
            const auto order =
                P::seeded(defect::stalled_thread_read_relaxed) ? std::memory_order_relaxed : std::memory_order_acquire;
            std::uint32_t thread = late ? 0 : r->owned.load(order);
            const bool since_noted = r->waited.load(std::memory_order_relaxed) == ticket_of(target_);
            if (late) {
                thread = r->owned.load(order);
            }
            if (since_noted) {
                visit(thread, target_ - s, r->noted_at.get());
            }
        }
    }

    /// Publishes the completion of the grace period whose readers have all been passed over.
    void complete() {
        assert_invariant<P>("G2", [this] { return target_ != 0 && cursor_ == nullptr; });
        // [gp.12] release pairs with [gp.11].
        completed_.store(target_, P::seeded(defect::completion_published_relaxed) ? std::memory_order_relaxed
                                                                                  : std::memory_order_release);
        target_ = 0;
    }

    /// A reader record starts with the newest number, so that its first section is not waited for needlessly. Relaxed:
    /// the section itself reads the number again [gp.5], and no older one.
    std::uint64_t newest() { return started_.load(std::memory_order_relaxed); }

    /// In the child of a fork: a thread that is gone is in no section.
    static void end_section_of_lost_thread(record& r) {
        r.nesting.set(0);
        r.waited.store(0, std::memory_order_relaxed);
        r.section.store(0, std::memory_order_relaxed);
    }

private:
    // Odd, so that not even the half of it that a futex compares is ever that of 0.
    static constexpr std::uint64_t ticket_of(std::uint64_t number) { return 2 * number + 1; }

    void mark(record& r, std::uint64_t ticket) {
        r.waited.store(ticket, std::memory_order_relaxed);
        if (noted_ && !P::seeded(defect::note_outlives_its_section)) {
            // It has ended the section in which it was noted.
            r.noted.set(0);
        }
    }

    static void wake_parked(record& r) {
        r.waited.store(0, std::memory_order_relaxed);
        if (P::seeded(defect::parked_on_the_section)) {
            P::wake(r.section);
        }
        P::wake(r.waited);
    }

    bool blocks(record& r) {
        // [gp.4] acquire pairs with [gp.1] and [gp.7].
        const std::uint64_t s = r.section.load(std::memory_order_acquire);
        return s != 0 && s < target_;
    }

    void step_over() {
        if (marked_ && cursor_->waited.load(std::memory_order_relaxed) != 0) {
            cursor_->waited.store(0, std::memory_order_relaxed);
            if (!P::seeded(defect::passed_over_without_waking)) {
                // The reader may find that nobody waits now, while others than this thread are still parked on it.
                if (P::seeded(defect::parked_on_the_section)) {
                    P::wake(cursor_->section);
                }
                P::wake(cursor_->waited);
            }
        }
        cursor_ = cursor_->next.get();
    }

    // Never 0, so that a reader's word is not 0 inside a section.
    typename P::template atomic<std::uint64_t> started_{P::limits().first_grace_period};
    typename P::template atomic<std::uint64_t> completed_{P::limits().first_grace_period};
    // Under the grace-period lock, which orders them.
    std::uint64_t target_ = 0;
    record* cursor_ = nullptr;
    bool marked_ = false;
    bool noted_ = false;
};

}  // namespace quiesce::detail
