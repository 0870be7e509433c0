// free_rcu: objects that are freed, many together, after a grace period.
//
// A thread collects objects in an array of its own (a block of pointers, and a list of embedded heads) behind an
// owner_gate, without a lock and without an atomic read-modify-write. Small objects and large blocks go to blocks of
// their own, which each allocator is given whole. A full array goes to the shard of the CPU on
// which the thread runs. The monitor (a step of the driver) takes over what threads hold that do not fill their arrays,
// starts batches, and is armed whenever there may be something for it: by the thread that puts the first object into an
// empty array, by whoever hands over, and by itself when objects are left.
//
// That no object is stranded rests on the order in the monitor: it clears `armed` first and looks afterwards. An
// append that it does not find comes after the gate was opened again, or finds it closed; either way that thread sees
// `armed` cleared and arms it.
#pragma once

#include <atomic>
#include <cstdint>
#include <new>

#include "quiesce/detail/block_reserve.hpp"
#include "quiesce/detail/collected.hpp"
#include "quiesce/detail/fixed_array.hpp"
#include "quiesce/detail/free_block.hpp"
#include "quiesce/detail/free_shard.hpp"
#include "quiesce/detail/large_blocks.hpp"
#include "quiesce/detail/lock_hold.hpp"
#include "quiesce/detail/thread_arrays.hpp"
#include "quiesce/detail/thread_records.hpp"
#include "quiesce/platform.hpp"
#include "quiesce/rcu_head.hpp"

namespace quiesce {

template <platform P>
class basic_rcu_domain;

/// How far deferred frees may run ahead of the driver, in objects that threads have handed over.
/// The backlog is counted where one of the first two is not 0.
struct backlog_limits {
    /// From here on the driver delays for `pressed_delay_ms` at most; 0 is no such limit.
    std::uint64_t hurry_at;
    /// From here on a call that hands a full block over waits until the driver is below it again, at most `throttle_ms`
    /// (0: never). 0 is no such limit. Not inside a section, callback or deleter of any domain, and not with an
    /// embedded head; what could not be slowed down, or not long enough, is counted.
    std::uint64_t throttle_at;
    unsigned throttle_ms;
};

namespace detail {

/// Whether the monitor has something to do.
enum class monitor_state : std::uint32_t {
    idle,     ///< nothing is deferred
    armed,    ///< something is; the driver may delay, so that more comes together
    pressed,  ///< much is pending; the driver may delay for a moment
    hurried,  ///< somebody waits
};

template <class P>
class deferred_frees {
public:
    using head = basic_rcu_head<P>;

    explicit deferred_frees(basic_rcu_domain<P>& domain);
    ~deferred_frees();
    deferred_frees(const deferred_frees&) = delete;
    deferred_frees& operator=(const deferred_frees&) = delete;

    /// Defers an object by its address, in the channel of its kind; `free` is null when the channel's allocator frees
    /// it. Returns false, and has done nothing, when there is no memory to hold the address: no spare block, none to be
    /// had, none in the reserve, and not even a wrapper. `may_wait` says whether the call may be slowed down.
    bool defer(channel kind, void* object, free_function free, bool may_wait);
    /// What is left to do when `defer` returned false: waits for a grace period here, then frees the object here.
    void wait_and_free(channel kind, void* object, free_function free);
    void defer(head* h, typename head::callback function);

    /// Waits until every object deferred before the call has been freed.
    void barrier();
    bool monitor_step();
    unsigned reclaim_step();
    monitor_state state() const { return static_cast<monitor_state>(armed_.load(std::memory_order_relaxed)); }
    void hurry();
    large_blocks<P>& large() { return large_; }
    block_reserve<P>& reserve() { return reserve_; }
    /// Gives back the blocks that hold nothing.
    void shrink();
    void limit_backlog(const backlog_limits& limits) { limits_ = limits; }
    std::uint64_t backlog() const { return backlog_.load(std::memory_order_relaxed); }
    std::uint64_t limit_exceeded() const { return exceeded_.load(std::memory_order_relaxed); }

    using record = thread_arrays<P>;

    /// What the calling thread keeps; null when there is no memory for it.
    record* own_record() {
        record* const r = own_.get();
        return r != nullptr ? r : register_thread();
    }

    /// Calls `visit` with the record of each thread, whose gate is closed and whose owner is outside. `visit` must not
    /// call code of the user, nor wait for anything but a lock under which nobody waits.
    template <class Visit>
    void visit_records(Visit visit);

    /// What is deferred: first the threads' arrays, which do not count, then the shards.
    collected look();

    // Around a fork. First no barrier is under way; then no owner is inside its gate, and nothing changes.
    bool try_begin_no_barrier() { return barrier_lock_.try_lock(); }
    void end_no_barrier() { barrier_lock_.unlock(); }
    void before_fork();
    void after_fork(bool in_child);
    /// In the child, where nobody serves the monitor: what is deferred next starts the driver.
    void begin_again();

private:
    using block = free_block<P>;
    using shard = free_shard<P>;

    static void thread_exits(void* self, record* r);

    record* register_thread();
    shard& here() { return shards_[P::this_shard() % shards_.size()]; }
    /// An address with a head, where there is no block for it.
    struct wrapper;

    bool defer_slowly(record* r, channel kind, void* object, free_function free, bool may_wait);
    bool defer_wrapped(channel kind, void* object, free_function free);
    static void free_wrapped(head* h);
    block* empty_block();
    void keep_empty(block* empty, shard& at);
    void free_objects(channel kind, deferred_object<P>* first, deferred_object<P>* last);
    void free_object(channel kind, void* object, free_function free);
    void hand_over(block* full, head_list<P>& heads, unsigned heads_count);
    void hand_over(free_channels<P>& what);
    void detach_and_hand_over(record& r, block_array<P>& array);
    unsigned collect();
    void arm(record* r);
    bool counts_backlog() const { return limits_.hurry_at != 0 || limits_.throttle_at != 0; }
    void press();
    void slow_down(bool may_wait);
    void free_all(free_channels<P>& channels, shard& from);
    void barrier_count_down();
    /// Closes every gate; returns the first record of them.
    record* close_gates();

    basic_rcu_domain<P>& domain_;
    large_blocks<P> large_;
    block_reserve<P> reserve_;
    thread_records<P, record> records_;
    fixed_array<P, shard> shards_;
    typename P::template atomic<std::uint32_t> armed_{0};
    /// One flusher at a time.
    typename P::mutex flush_lock_;
    /// The first record whose gate is closed for a fork.
    record* forking_ = nullptr;
    typename P::mutex barrier_lock_;
    typename P::template atomic<std::uint64_t> shards_left_{0};

    typename P::template atomic<std::uint64_t> backlog_{0};
    typename P::template atomic<std::uint64_t> exceeded_{0};
    backlog_limits limits_;

    typename P::template thread_slot<record> own_;
};

}  // namespace detail
}  // namespace quiesce
