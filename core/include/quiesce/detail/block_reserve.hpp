// A few blocks of pointers for when there is no memory for another.
//
// They are used when an allocation has failed, and filled again by the monitor, one by one, and by blocks that are
// emptied. After a failure the monitor lets some of its steps pass before it tries again, twice as many each time, so
// that it does not take what there is from others just when memory is short.
//
// Source: mempool of the Linux kernel and Rezki, 2020, on headless kvfree_rcu, where it is proposed; the back-off is
// that of backoff_page_cache_fill, mm/slab_common.c.
#pragma once

#include <cstdint>

#include "quiesce/detail/free_block.hpp"
#include "quiesce/detail/lock_hold.hpp"
#include "quiesce/platform.hpp"

namespace quiesce::detail {

template <class P>
class block_reserve {
public:
    using block = free_block<P>;

    block_reserve() { keep(P::limits().reserve_blocks); }
    block_reserve(const block_reserve&) = delete;
    block_reserve& operator=(const block_reserve&) = delete;
    ~block_reserve() {
        if (count_ != 0) {
            (void)drop();
        }
    }

    /// Sets how many there shall be, and makes them as far as there is memory. No other call is under way.
    void keep(unsigned blocks) {
        if (count_ > blocks) {
            (void)drop();
        }
        target_ = blocks;
        while (count_ < target_ && refill() == filling::grew) {
        }
    }

    unsigned size() {
        const lock_hold hold(lock_);
        return count_;
    }

    /// Null when there is none.
    block* take() {
        if (target_ == 0) {
            return nullptr;
        }
        const lock_hold hold(lock_);
        if (blocks_.empty()) {
            return nullptr;
        }
        --count_;
        return blocks_.pop_front();
    }

    /// Takes an empty block if one is missing; returns whether it did.
    bool give(block* empty) {
        if (target_ == 0) {
            return false;
        }
        const lock_hold hold(lock_);
        if (count_ == target_) {
            return false;
        }
        blocks_.push_back(empty);
        ++count_;
        return true;
    }

    enum class filling : std::uint8_t { full, grew, later };

    /// Makes one block, unless none is missing or memory was short just now.
    filling refill() {
        if (target_ == 0) {
            return filling::full;
        }
        {
            const lock_hold hold(lock_);
            if (count_ == target_) {
                return filling::full;
            }
            if (to_pass_ != 0) {
                --to_pass_;
                return filling::later;
            }
        }
        block* const fresh = block::create(P::limits().free_block_entries);
        if (fresh == nullptr) {
            back_off();
            return filling::later;
        }
        {
            const lock_hold hold(lock_);
            pause_ = 0;
        }
        if (!give(fresh)) {
            block::destroy(fresh, P::limits().free_block_entries);
        }
        return filling::grew;
    }

    /// Memory is short.
    void back_off() {
        if (target_ == 0) {
            return;
        }
        const lock_hold hold(lock_);
        const unsigned most = P::limits().refill_backoff;
        pause_ = pause_ == 0 ? 1 : 2 * pause_;
        pause_ = pause_ < most ? pause_ : most;
        to_pass_ = pause_;
    }

    /// Gives the blocks back; returns whether there were any.
    bool drop() {
        if (target_ == 0) {
            return false;
        }
        block_list<P> dropped;
        {
            const lock_hold hold(lock_);
            dropped.splice_back(blocks_);
            count_ = 0;
        }
        const bool any = !dropped.empty();
        while (!dropped.empty()) {
            block::destroy(dropped.pop_front(), P::limits().free_block_entries);
        }
        return any;
    }

    // Around a fork.
    void before_fork() { lock_.lock(); }
    void after_fork() { lock_.unlock(); }

private:
    unsigned target_ = 0;
    typename P::mutex lock_;
    // All under the lock.
    block_list<P> blocks_;
    unsigned count_ = 0;
    /// Steps of the monitor that pass before the next attempt, and how many passed before the last.
    unsigned to_pass_ = 0;
    unsigned pause_ = 0;
};

}  // namespace quiesce::detail
