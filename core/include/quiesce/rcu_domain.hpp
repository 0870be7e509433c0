// Read-copy update.
//
// The problem: readers follow pointers into shared data without locks and without writing to shared memory; a writer
// replaces an object and must know when no reader can still hold the old one. A domain answers that question. Readers
// mark read-side critical sections; a grace period is any interval in which every section that was open at its start
// has ended; what was unlinked before a grace period can be freed after it.
//
//     struct config : quiesce::rcu_obj_base<config> { int limit; };
//     std::atomic<config*> current;
//
//     int limit() {                                   // any number of readers
//         std::scoped_lock section(quiesce::rcu_default_domain());
//         return current.load(std::memory_order_acquire)->limit;
//     }
//     void set(config* fresh) {                       // one writer
//         config* old = current.exchange(fresh, std::memory_order_acq_rel);
//         old->retire();                              // deleted by the driver, after a grace period
//     }
//
// Guarantees: for a section S and a grace period G (synchronize: from call to return; a callback: from its retirement
// to its execution), either everything sequenced before G's start happens before all of S, or all of S happens before
// G's end. Callbacks run on the domain's driver (or in `reclaim_step`), outside every lock, never inside the call that
// queued them.
//
// What it does not do: `barrier` waits for callbacks, not for a grace period. A section that never ends holds back
// every grace period. A section belongs to the thread that began it.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <new>

#include "quiesce/detail/callback_queue.hpp"
#include "quiesce/detail/fixed_array.hpp"
#include "quiesce/detail/grace_period.hpp"
#include "quiesce/detail/lock_hold.hpp"
#include "quiesce/detail/reader_registry.hpp"
#include "quiesce/platform.hpp"
#include "quiesce/rcu_head.hpp"

namespace quiesce {

/// What one bounded step of the grace-period machine came to.
enum class step_result : std::uint8_t {
    idle,                 ///< nothing to do
    busy,                 ///< another thread is doing it
    waiting_for_readers,  ///< a reader is in the way
    completed,            ///< a grace period ended
};

/// An RCU domain. Meets Lockable, so std::scoped_lock and std::unique_lock open a read-side critical section.
///
/// Source: the interface follows [saferecl.rcu] of C++26; the polled cookies and the step functions are additions.
template <platform P>
class basic_rcu_domain {
public:
    using head = basic_rcu_head<P>;
    using cookie = std::uint64_t;

    /// Throws std::bad_alloc. Natively 512 domains may exist at once; one more is a misuse.
    basic_rcu_domain();
    basic_rcu_domain(const basic_rcu_domain&) = delete;
    basic_rcu_domain& operator=(const basic_rcu_domain&) = delete;

    /// Requires: every call on the domain has returned, `unlock` included (a grace period that saw the section end does
    /// not show that), and no callback is queued (call `barrier` first; otherwise it is reported as misuse and the
    /// callbacks never run). Stops the driver. Threads that read in the domain may outlive it.
    ~basic_rcu_domain();

    /// Begins a section, or nests in the present one. Does not block. The first call of a thread may allocate and
    /// throws std::bad_alloc when that fails. A section that begins after a grace period happens after what came before
    /// that grace period.
    void lock() { gp_enter(own_record()); }

    /// The same; always true.
    bool try_lock() {
        lock();
        return true;
    }

    /// Ends the innermost section of this thread. Does not block. Release towards every grace period that it lets end.
    void unlock();

    /// Waits until every section that was open at the call has ended: one full grace period. Blocks; callers that come
    /// at the same time share grace periods. Misuse inside a section of this domain or inside a callback.
    void synchronize();

    /// Waits until every callback queued before the call (happens before it) has finished. Blocks while the driver, or
    /// another thread's `reclaim_step`, runs them. It is not a grace period, does not cover callbacks that callbacks
    /// queue, and does not wait for objects given to `free_rcu`. Misuse inside a section or a callback.
    void barrier();

    /// Queues `function(h)` to run after a grace period. Does not block on readers; takes one shard's lock. The head
    /// must not be queued already (misuse: double retirement); `function` must not throw. The domain's first work
    /// starts its driver, and throws std::system_error when no thread can be had; the head is queued all the same, and
    /// the next call tries again.
    void retire(head* h, typename head::callback function);

    /// A cookie for a grace period that begins after this call; asks for that grace period. Does not block.
    cookie start_poll();

    /// Whether the cookie's grace period is over. Does not block. Acquire: if true, what readers did in sections that
    /// it waited for happens before the return.
    bool poll(cookie c) { return gp_.done(c); }

    /// Waits for the cookie's grace period. Blocks, as synchronize does.
    void wait(cookie c);

    /// One bounded step towards the end of a grace period, beginning one if callbacks or cookies want it. Never blocks.
    step_result advance_grace_period();

    /// Runs the callbacks whose grace period is over, some of each shard; returns how many. Never waits for readers or
    /// for another thread that does the same.
    unsigned reclaim_step();

    /// After `advance_grace_period` said waiting_for_readers: waits at most the given time for the reader in the way.
    void wait_for_readers(unsigned milliseconds);

    /// Waits at most the given time until there may be work for the steps. `seen` is the value that `work_epoch`
    /// returned before the steps found nothing to do.
    void wait_for_work(std::uint64_t seen, unsigned milliseconds);

    /// A number that changes whenever work is queued.
    std::uint64_t work_epoch() {
        // [drv.1] acquire pairs with [drv.2]: work announced by the number that was read is found by the steps.
        return work_.load(std::memory_order_acquire);
    }

    /// Stops the domain's own thread for good, after the callback that it is running; what is queued stays queued.
    void stop_driver() { driver_.stop(); }

    /// How many reader records the domain keeps: the most threads that ever read in it at the same time.
    unsigned reader_records();

    /// Whether the calling thread is inside a section of this domain.
    bool in_section();

private:
    using record = detail::reader_record<P>;

    static void thread_exits(void* self, record* r);
    static void thread_exits_in_callback(void*, basic_rcu_domain*) {}
    static void marker_reached(head* h);

    void gp_enter(record& r) { detail::grace_period<P>::enter(r, gp_); }
    record& own_record() {
        record* const r = own_.get();
        return r != nullptr ? *r : register_thread();
    }
    record& register_thread();
    bool refuse(misuse in_section_kind, misuse in_callback_kind, std::string_view call);
    step_result step_locked();
    bool grace_period_wanted();
    void want(cookie c);
    void kick();

    struct alignas(64) marker : head {
        basic_rcu_domain* owner = nullptr;
    };
    struct shard {
        detail::callback_queue<P> queue;
        marker behind;
    };

    detail::reader_registry<P> readers_;
    detail::grace_period<P> gp_;
    typename P::mutex gp_lock_;
    /// The largest cookie that somebody asked for.
    typename P::template atomic<std::uint64_t> wanted_{0};
    typename P::template atomic<std::uint64_t> work_{0};

    detail::fixed_array<P, shard> shards_;

    typename P::mutex barrier_lock_;
    typename P::template atomic<std::uint64_t> markers_left_{0};

    typename P::template thread_slot<record> own_;
    /// Set in a thread while it runs callbacks of this domain.
    typename P::template thread_slot<basic_rcu_domain> running_callbacks_;
    typename P::template driver<basic_rcu_domain> driver_;
};

}  // namespace quiesce

#include "quiesce/detail/rcu_domain_impl.hpp"
