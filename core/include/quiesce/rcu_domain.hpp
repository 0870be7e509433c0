// Read-copy update.
//
// The problem: readers follow pointers into shared data without locks and without writing to shared memory; a writer
// replaces an object and must know when no reader can still hold the old one. A domain answers that question. Readers
// mark read-side critical sections; a grace period is any interval in which every section that was open at its start
// has ended; what was unlinked before a grace period can be freed after it.
//
//     struct config : quiesce::rcu_obj_base<config> {
//         explicit config(int l) : limit(l) {}
//         int limit;
//     };
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
// What it does not do: `barrier` waits for callbacks, not for a grace period, and not for `free_rcu`. It is called
// before the code of a callback is unloaded. A section that never ends holds back every grace period. A section belongs
// to the thread that began it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <new>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "quiesce/detail/address_table.hpp"
#include "quiesce/detail/cache_registry.hpp"
#include "quiesce/detail/callback_queue.hpp"
#include "quiesce/detail/deferred_frees.hpp"
#include "quiesce/detail/fixed_array.hpp"
#include "quiesce/detail/grace_period.hpp"
#include "quiesce/detail/lock_hold.hpp"
#include "quiesce/detail/reader_registry.hpp"
#include "quiesce/detail/stall_watch.hpp"
#include "quiesce/detail/worker_tasks.hpp"
#include "quiesce/platform.hpp"
#include "quiesce/rcu_head.hpp"

namespace quiesce {

namespace detail {

template <class P>
class staged_core;

}  // namespace detail

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
    /// not show that), and no callback or free is pending (call `barrier` and `free_rcu_barrier` first; otherwise it is
    /// reported as misuse, the callbacks never run and the objects are never freed). Stops the driver. Threads that
    /// used the domain may outlive it. Its caches have ended.
    ~basic_rcu_domain();

    /// Begins a section, or nests in the present one. Does not block. The first call of a thread may allocate and
    /// throws std::bad_alloc when that fails, and has then begun none; later calls of that thread never throw. A
    /// section that begins after a grace period happens after what came before that grace period.
    void lock() { gp_enter(own_record()); }

    /// The same; always true.
    bool try_lock() {
        lock();
        return true;
    }

    /// Ends the innermost section of this thread. Does not block. Release towards every grace period that it lets end.
    void unlock() noexcept {
        record* const r = own_.get();
        if (r == nullptr || r->nesting.get() == 0) [[unlikely]] {
            P::report({misuse::unlock_without_lock, "rcu_domain::unlock", this});
            return;
        }
        detail::grace_period<P>::leave(*r);
    }

    /// Waits until every section that was open at the call has ended: one full grace period. Blocks; callers that come
    /// at the same time share grace periods. Misuse inside a section of this domain or inside a callback.
    void synchronize();

    /// Where the platform is for one thread: says that this thread is in no section, runs every callback and frees
    /// every object that was queued or deferred before the call, then settles what waits for a worker. What callbacks
    /// and deleters queue or defer meanwhile is left to the next quiescent point, so it ends. Runs user code; nothing
    /// else does but `barrier`, `free_rcu_barrier`, `flush_all`, the waiting end of a cache, and a free that finds no
    /// memory. Misuse inside a section or a callback, and then it does nothing.
    ///
    /// Source: rcu_qs of the Linux kernel, kernel/rcu/tiny.c; rcu_quiescent_state of liburcu's QSBR flavour.
    void quiescent_point() requires detail::one_thread<P>;

    /// Waits until every callback queued before the call (happens before it) has finished. Blocks while the driver, or
    /// another thread's `reclaim_step`, runs them; where no thread can be had for a driver, it takes the steps itself,
    /// and runs callbacks and deleters. It is not a grace period, does not cover callbacks that callbacks queue, and
    /// does not wait for objects given to `free_rcu`. Misuse inside a section or a callback.
    void barrier();

    /// Queues `function(h)` to run after a grace period. Does not block on readers; takes one shard's lock. The head
    /// must not be queued already (misuse: double retirement); `function` must not throw. The domain's first work
    /// starts its driver, and throws std::system_error when no thread can be had; the head is queued all the same, and
    /// the next call tries again.
    void retire(head* h, typename head::callback function);

    /// The same, but throws nothing: where no thread can be had, the next call tries again.
    void retire_surely(head* h, typename head::callback function) noexcept;

    /// A cookie for a grace period that begins after this call; asks for that grace period. Does not block.
    cookie start_poll();

    /// Whether the cookie's grace period is over. Does not block. Acquire: if true, what readers did in sections that
    /// it waited for happens before the return.
    bool poll(cookie c) { return gp_.done(c); }

    /// Waits for the cookie's grace period. Blocks, as synchronize does.
    void wait(cookie c);

    /// The same, but waits for readers at most the given time (0 waits without limit); returns whether the grace period
    /// is over.
    bool wait_for(cookie c, unsigned milliseconds);

    // free_rcu: the native forms, with types and deleters, are in quiesce/free_rcu.hpp.

    /// Frees the object that embeds `h`, by `function(h)` on the driver, after a grace period. Needs no memory, never
    /// blocks on readers and is never throttled, so it may be called anywhere, also inside sections and deleters. The
    /// head must not be queued already (misuse: double retirement); `function` must not throw. Throws
    /// std::system_error when the domain's first work cannot start its driver; the object is deferred all the same, and
    /// the next call tries again.
    void free_rcu(head* h, typename head::callback function) { frees_.defer(h, function); }

    /// Frees an object that has no head, by `free(object)` after a grace period; the object itself is not touched
    /// before. Runs on the driver, but where no memory can be had to hold the address the call waits for a grace period
    /// and frees the object itself. Because it may wait, calling it inside a section of this domain is misuse, reported
    /// at every call in checked builds; otherwise only where it would have to wait, and the object is then never freed.
    /// Throttled when the backlog is over its limit. Throws as the form with a head does.
    void free_rcu(void* object, free_function free);

    /// The same, but returns false where it would wait for memory, and has then done nothing. Never throttled: it may
    /// be called inside a section.
    bool try_free_rcu(void* object, free_function free) {
        return frees_.defer(detail::channel::small, object, free, false);
    }

    /// Frees what lies at that address, after a grace period, as where it comes from frees it: an object of a cache of
    /// this domain, which the cache destructs, or a large block of it. Which of them it is is looked up; the memory is
    /// not touched before. Anything else is misuse, and left alone. Otherwise as the form with a function.
    void free_rcu(void* address);

    /// The same, but returns false where it would wait for memory, and has then done nothing.
    [[nodiscard]] bool try_free_rcu(void* address);

    // Large blocks: the native forms are in quiesce/large_block.hpp.

    /// Memory of its own pages, not constructed. Null when there is none. Does not block on readers.
    [[nodiscard]] void* allocate_large(std::size_t bytes) { return frees_.large().allocate(bytes); }

    /// Gives a large block back now; null does nothing. Needs no memory, does not block on readers, and may be called
    /// anywhere. What is no large block of this domain is misuse, and left alone.
    void free_large(void* block);

    /// Gives a large block back after a grace period; null does nothing. As the form of `free_rcu` with a function: it
    /// may wait for memory, so it is misuse inside a section, and it is throttled.
    void free_large_rcu(void* block);

    /// The same, but returns false where it would wait for memory, and has then done nothing. Never throttled: it may
    /// be called inside a section.
    [[nodiscard]] bool try_free_large_rcu(void* block);

    /// The large blocks that are allocated or in flight. Does not block on readers; a snapshot.
    large_usage large_blocks() { return frees_.large().usage(); }

    // Memory of the domain's own.

    /// Sets how many blocks of addresses the domain holds back for frees that find no memory, each for
    /// `limits().free_block_entries` objects, and makes them as far as there is memory. The driver makes those that are
    /// missing, later and later while that fails. Requires that no other call on the domain is under way.
    void keep_reserve(unsigned blocks) { frees_.reserve().keep(blocks); }

    /// How many of them there are. Does not block on readers; a snapshot.
    unsigned reserve() { return frees_.reserve().size(); }

    /// Gives back memory that holds nothing: blocks of addresses, the reserve, and the unused slabs and magazines of
    /// every cache. The reserve is filled again later. Does not block on readers and needs no memory. For when memory
    /// is short; what is in use stays.
    void shrink();

    /// Waits until every object given to `free_rcu` before the call (happens before it) has been freed, whichever
    /// thread, shard or batch holds it. Blocks while the driver, or another thread's `free_step`, frees them. Does not
    /// cover what a deleter defers. Misuse inside a section or a callback.
    void free_rcu_barrier();

    /// Ends the driver's delay: what threads have deferred so far is handed over and freed as soon as a grace period
    /// allows. Does not block.
    void hurry() { frees_.hurry(); }

    /// Requires that no other call on the domain is under way and, where the backlog was not counted, nothing deferred.
    void limit_backlog(const backlog_limits& limits) { frees_.limit_backlog(limits); }

    /// Objects that were handed over by threads and are not freed yet. Does not block; a snapshot.
    std::uint64_t backlog() const { return frees_.backlog(); }

    /// How often the backlog's limit was exceeded because the producer could not be slowed down (long enough).
    std::uint64_t backlog_limit_exceeded() const { return frees_.limit_exceeded(); }

    /// Sets when and to whom it is reported that readers do not end or that frees run ahead (quiesce/stall_report.hpp).
    /// Natively a domain begins with `limits().stall_timeout_ms`, or what the environment variable
    /// QUIESCE_STALL_TIMEOUT_MS says in milliseconds, and prints. Waits until the previous handler is not running, so
    /// that its context may go; but not in a callback of the domain, and a handler is one. A grace period that is under
    /// way counts from its next step. May be called at any time, from any thread.
    void report_stalls(const stall_options& options);

    /// The caches of the domain: those that can be allocated from, and those that are destroyed and wait for their last
    /// object; of staged caches, those whose first domain this is. Disturbs the threads that use them for a moment.
    /// Throws std::bad_alloc.
    std::vector<cache_usage> caches();

    /// The cache that has this name now; one that is destroyed has none.
    std::optional<cache_usage> cache_named(std::string_view name);

    // Caches themselves are in quiesce/object_cache.hpp.

    /// One step of the worker; returns whether there was one to take. Waits until nothing of the next cache that was
    /// destroyed with `async` is in flight, and reports what is held; or runs the next task of `run_on_worker`. Blocks,
    /// as free_rcu_barrier does.
    bool settle_step() { return caches_.settle_next() || tasks_.run_next(); }

    /// Queues `function(h)` to run on the worker, or in `settle_step`, without a grace period; tasks run in the order
    /// in which they were queued. Does not block. The head must not be queued already; `function` must not throw, and
    /// may block, but not in `flush_all`, which waits for it. Throws std::system_error when no thread can be had; the
    /// head is queued all the same.
    void run_on_worker(head* h, typename head::callback function);

    /// A number that changes whenever the worker is given something; and waiting until it is not `seen`.
    std::uint64_t settles_queued() const { return caches_.queued(); }
    void wait_for_settles(std::uint64_t seen) { caches_.wait_until_queued(seen); }
    /// Changes that number.
    void wake_worker() { caches_.wake_worker(); }

    /// One bounded step towards the end of the end of a grace period, beginning one if callbacks or cookies want it.
    /// Never blocks, but may call the handler of stall reports.
    step_result advance_grace_period();

    /// Runs the callbacks whose grace period is over, some of each shard; returns how many. Never waits for readers or
    /// for another thread that does the same.
    unsigned reclaim_step();

    /// Whether `monitor_step` has something to do, and whether it should come at once.
    detail::monitor_state monitor() const { return frees_.state(); }

    /// Takes over what threads have deferred, frees what may be freed at once and starts batches for the rest; returns
    /// whether it changed anything. Never waits for readers.
    bool monitor_step() { return frees_.monitor_step(); }

    /// Frees the batches whose grace period is over, one of each shard; returns how many. Never waits for readers.
    unsigned free_step() { return frees_.reclaim_step(); }

    /// After `advance_grace_period` said waiting_for_readers: waits at most the given time for the reader in the way.
    void wait_for_readers(unsigned milliseconds);

    /// Waits at most the given time until there may be work for the steps. `seen` is the value that `work_epoch`
    /// returned before the steps found nothing to do.
    void wait_for_work(std::uint64_t seen, unsigned milliseconds);

    /// A number that changes whenever work is queued.
    std::uint64_t work_epoch() {
        // [drv.1] acquire pairs with [drv.2]: work announced by the number that was read is found by the steps.
        return work_.load(std::memory_order_acquire) & ~sleeping;
    }

    /// Changes `work_epoch` and wakes whoever sleeps in `wait_for_work`.
    void announce_work();

    /// Stops the domain's own thread for good, after the callback that it is running; what is queued stays queued.
    void stop_driver() { driver_.stop(); }

    /// Waits until everything is done: every object given to `free_rcu` is freed, every callback and every task of
    /// `run_on_worker` has run, nothing of a staged cache whose first domain this is is in flight in either domain, and
    /// those of them that are destroyed have ended; also what came meanwhile, and what those led to. Of a staged
    /// cache's second domain it waits for nothing else. Then reports what is held of destroyed caches. For the end of a
    /// program: it returns when nothing comes any more. Blocks, as `barrier` of all these domains does; needs no
    /// memory; where no thread can be had for the worker it takes its steps. All that it waited for happens before the
    /// return. Misuse inside a section or a callback of one of these domains, and on the worker.
    ///
    /// In the child of a fork it does not wait for what another thread was in the middle of. Where that is not known,
    /// in a staged cache that was there at the fork and is not destroyed, it waits for the callbacks that are queued,
    /// not until nothing is in flight.
    void flush_all();

    /// One round of `flush_all`: waits until everything that was deferred or queued before the call is done, and of
    /// staged caches for the callbacks that were under way, then returns whether nothing is left or has come meanwhile.
    /// For who must not wait for others to stop deferring. Blocks. Misuse where `flush_all` is; returns false then.
    bool flush_round();

    // Around a fork: the platform calls these, for all domains each step before the next. They leave the domain whole
    // in the child, where the sections of the other threads count as ended and what they deferred is handed over.

    /// Waits for the callbacks that the driver is running; from here on who waits for them takes its steps. Misuse
    /// inside a section or a callback of the domain.
    void before_fork_pause();
    /// Sees to it that no barrier and no such step is under way; returns false, and has done nothing, where one is.
    bool before_fork_try_settle();
    void before_fork_unsettle();
    void before_fork_lock();
    void after_fork_in_parent();
    void after_fork_in_child();

    /// How many reader records the domain keeps: the most threads that ever read in it at the same time.
    unsigned reader_records();

    /// Whether the calling thread is inside a section of this domain.
    bool in_section();

private:
    friend class detail::deferred_frees<P>;
    friend class detail::cache_core<P>;
    template <class>
    friend class detail::staged_core;
    template <platform>
    friend class basic_cache;
    template <platform>
    friend class basic_cache_token;
    using record = detail::reader_record<P>;

    /// The lowest bit of `work_`: somebody sleeps until it changes.
    static constexpr std::uint64_t sleeping = 1;

    /// While it lives, the calling thread runs callbacks or deleters of the domain.
    class callback_scope {
    public:
        // A callback may take steps itself, so this may be inside another one.
        explicit callback_scope(basic_rcu_domain& d) : domain_(d), outside_(d.running_callbacks_.get()) {
            // Without memory for the mark, misuse inside the callback is not seen; the callback is right all the same.
            (void)domain_.running_callbacks_.set(&d);
        }
        callback_scope(const callback_scope&) = delete;
        callback_scope& operator=(const callback_scope&) = delete;
        ~callback_scope() { (void)domain_.running_callbacks_.set(outside_); }

    private:
        basic_rcu_domain& domain_;
        basic_rcu_domain* const outside_;
    };

    static void thread_exits(void* self, record* r);
    static void thread_exits_in_callback(void*, basic_rcu_domain*) {}
    static bool section_open(record* r) { return r->nesting.get() != 0; }
    static bool callback_running(basic_rcu_domain*) { return true; }
    static void marker_reached(head* h);

    void gp_enter(record& r) { detail::grace_period<P>::enter(r, gp_); }
    record& own_record() {
        record* const r = own_.get();
        return r != nullptr ? *r : register_thread();
    }
    record& register_thread();
    bool refuse(misuse in_section_kind, misuse in_callback_kind, std::string_view call, std::string_view cache = {});
    enum class flushed : std::uint8_t { refused, not_all, all };
    flushed flush_once(std::string_view call);
    bool refuse_flush(std::string_view call);
    /// Waits for the worker's tasks, those that visit staged caches among them.
    void finish_tasks();
    detail::collected look_for_work();
    /// Returns false, and has reported it, when the call would have to wait inside a section.
    bool defer_or_wait(detail::channel kind, void* object, free_function free);
    /// Reports a call that may wait, and returns true, inside a section where that is looked for.
    bool refuse_in_section(const void* object, std::string_view call);
    /// The cache whose object begins there; null when there is none.
    detail::cache_core<P>* cache_of(const void* address);
    step_result step_locked();
    using stall_notice = std::optional<detail::stall_notice>;
    /// Under the lock of grace periods, after a step.
    void look_for_stall(stall_notice& found);
    /// Without it.
    void tell_of_stall(const stall_notice& found);
    void add_backlog(stall_report& report);
    void want(cookie c);
    /// Waits for the cookie's grace period and takes its steps, so that nothing else need be running; at most the given
    /// time (0 waits without limit). Returns whether it is over.
    bool drive(cookie c, unsigned milliseconds);
    void start_driver();
    /// Returns false where no thread can be had.
    bool try_start_driver() noexcept;
    void kick();
    void tell_driver();
    /// Waits until a load of `cell` satisfies the predicate, which the driver will bring about, at most the given time
    /// (0 waits without limit); returns whether one does.
    template <class Cell, class Predicate>
    bool await_driver(Cell& cell, Predicate satisfied, unsigned milliseconds);
    /// The same for what the worker may have to bring about.
    template <class Cell, class Predicate>
    bool await_worker(Cell& cell, Predicate satisfied, unsigned milliseconds);
    bool take_absent_drivers_steps();
    /// Runs callbacks whose grace period is over, at most so many of each shard; returns how many.
    unsigned run_callbacks(unsigned most);
    void after_fork(bool in_child);

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
    /// Under that lock.
    detail::stall_watch<P> watch_;
    /// Handlers of reports that are running.
    typename P::template atomic<std::uint32_t> handlers_{0};
    /// The thread that runs one without the mark of a callback, for which it had no memory; 0 for none.
    typename P::template atomic<std::uint32_t> unmarked_handler_{0};
    /// The largest cookie that somebody asked for.
    typename P::template atomic<std::uint64_t> wanted_{0};
    typename P::template atomic<std::uint64_t> work_{0};

    detail::fixed_array<P, shard> shards_;

    /// Held by who takes the steps of a driver that is absent.
    typename P::mutex absence_lock_;
    typename P::mutex barrier_lock_;
    typename P::template atomic<std::uint64_t> markers_left_{0};

    typename P::template thread_slot<record> own_;
    /// Set in a thread while it runs callbacks of this domain.
    typename P::template thread_slot<basic_rcu_domain> running_callbacks_;
    detail::deferred_frees<P> frees_;
    detail::cache_registry<P> caches_;
    detail::address_table<P, detail::slab<P>> slabs_;
    detail::worker_tasks<P> tasks_;
    typename P::template worker<basic_rcu_domain> worker_;
    // Last, because the platform may call the domain from here on.
    typename P::template driver<basic_rcu_domain> driver_;
};

}  // namespace quiesce

#include "quiesce/detail/cache_core_impl.hpp"
#include "quiesce/detail/cache_end_impl.hpp"
#include "quiesce/detail/deferred_frees_impl.hpp"
#include "quiesce/detail/free_fallbacks_impl.hpp"
#include "quiesce/detail/quiescent_point_impl.hpp"
#include "quiesce/detail/rcu_domain_flush_impl.hpp"
#include "quiesce/detail/rcu_domain_fork_impl.hpp"
#include "quiesce/detail/rcu_domain_impl.hpp"
#include "quiesce/detail/rcu_domain_memory_impl.hpp"
#include "quiesce/detail/rcu_domain_stalls_impl.hpp"
