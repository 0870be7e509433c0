// Vector clocks of one exploration, in one growing array.
//
// A clock says of each thread how many of its events come before. Clocks are made in the order in which events are
// added and given up in the reverse order, so a mark is enough to forget a whole suffix.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace quiesce::explorer::detail {

/// 0 is the clock of nothing.
using clock_id = std::uint32_t;

class clock_pool {
public:
    using count = std::uint16_t;
    /// The most events of one thread that a clock can count.
    static constexpr unsigned max_events = 65'000;

    clock_pool() { clear(); }

    void clear() {
        size_ = 1;
        data_.assign(stride_, 0);
    }

    /// Room for this many threads in each clock.
    void reserve_threads(unsigned threads) {
        if (threads <= stride_) {
            return;
        }
        unsigned wider = stride_;
        while (wider < threads) {
            wider *= 2;
        }
        std::vector<count> moved(static_cast<std::size_t>(wider) * size_, 0);
        for (std::size_t c = 0; c != size_; ++c) {
            std::copy_n(data_.begin() + static_cast<std::ptrdiff_t>(c * stride_), stride_,
                        moved.begin() + static_cast<std::ptrdiff_t>(c * wider));
        }
        data_ = std::move(moved);
        stride_ = wider;
    }

    /// A copy of `from` in which the thread counts at least `events`.
    clock_id with(clock_id from, unsigned thread, unsigned events) {
        const clock_id c = fresh();
        const count* const p = row(from);
        count* const to = row(c);
        for (unsigned t = 0, n = stride_; t != n; t += block) {
            std::memcpy(to + t, p + t, block * sizeof(count));
        }
        count& entry = to[thread];
        entry = std::max(entry, static_cast<count>(events));
        return c;
    }

    /// A clock that covers both; one of them where it covers the other.
    clock_id join(clock_id a, clock_id b) {
        if (b == 0 || a == b) {
            return a;
        }
        if (a == 0) {
            return b;
        }
        return join(a, b, 0, 0);
    }
    /// A clock that covers both, and in which the thread counts at least `events`; one of them where it does.
    clock_id join(clock_id a, clock_id b, unsigned thread, unsigned events) {
        // Made in any case, and forgotten where it is not needed: that takes less than to look first.
        const clock_id c = fresh();
        const count* const p = row(a);
        const count* const q = row(b);
        count* const to = row(c);
        bool is_a = true;
        bool is_b = true;
        for (unsigned t = 0, n = stride_; t != n; t += block) {
            count both[block];
            for (unsigned i = 0; i != block; ++i) {
                both[i] = p[t + i] > q[t + i] ? p[t + i] : q[t + i];
            }
            is_a = is_a && std::memcmp(both, p + t, sizeof both) == 0;
            is_b = is_b && std::memcmp(both, q + t, sizeof both) == 0;
            std::memcpy(to + t, both, sizeof both);
        }
        if (to[thread] < events) {
            to[thread] = static_cast<count>(events);
            return c;
        }
        if (is_a || is_b) {
            release(c);
        }
        return is_a ? a : is_b ? b : c;
    }

    unsigned of(clock_id c, unsigned thread) const { return row(c)[thread]; }
    /// The counts of all threads, until another clock is made.
    const count* row(clock_id c) const { return data_.data() + static_cast<std::size_t>(c) * stride_; }

    std::uint32_t mark() const { return size_; }
    /// Forgets every clock made since the mark.
    void release(std::uint32_t mark) { size_ = mark; }

private:
    /// As many counts as the processor takes at a time.
    static constexpr unsigned block = 8;

    count* row(clock_id c) { return data_.data() + static_cast<std::size_t>(c) * stride_; }

    clock_id fresh() {
        const std::size_t needed = static_cast<std::size_t>(size_ + 1) * stride_;
        if (data_.size() < needed) {
            data_.resize(needed * 2);
        }
        return size_++;
    }

    /// A multiple of a block.
    unsigned stride_ = block;
    std::uint32_t size_ = 1;
    std::vector<count> data_;
};

}  // namespace quiesce::explorer::detail
