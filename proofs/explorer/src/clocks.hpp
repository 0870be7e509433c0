// Vector clocks of one exploration, in one growing array.
//
// A clock says of each thread how many of its events come before. Clocks are made in the order in which events are
// added and given up in the reverse order, so a mark is enough to forget a whole suffix.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
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
        const clock_id c = copy(from);
        count& entry = data_[static_cast<std::size_t>(c) * stride_ + thread];
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
        const count* const p = at(a);
        const count* const q = at(b);
        bool less = false;
        bool more = false;
        for (unsigned t = 0; t != stride_; ++t) {
            less |= p[t] < q[t];
            more |= p[t] > q[t];
        }
        if (!less) {
            return a;
        }
        if (!more) {
            return b;
        }
        const clock_id c = copy(a);
        count* const to = data_.data() + static_cast<std::size_t>(c) * stride_;
        const count* const from = at(b);
        for (unsigned t = 0; t != stride_; ++t) {
            to[t] = std::max(to[t], from[t]);
        }
        return c;
    }

    unsigned of(clock_id c, unsigned thread) const { return data_[static_cast<std::size_t>(c) * stride_ + thread]; }
    const count* at(clock_id c) const { return data_.data() + static_cast<std::size_t>(c) * stride_; }

    std::uint32_t mark() const { return size_; }
    /// Forgets every clock made since the mark.
    void release(std::uint32_t mark) { size_ = mark; }

private:
    clock_id copy(clock_id from) {
        const std::size_t needed = static_cast<std::size_t>(size_ + 1) * stride_;
        if (data_.size() < needed) {
            data_.resize(needed * 2);
        }
        std::copy_n(data_.data() + static_cast<std::size_t>(from) * stride_, stride_,
                    data_.data() + static_cast<std::size_t>(size_) * stride_);
        return size_++;
    }

    unsigned stride_ = 8;
    std::uint32_t size_ = 1;
    std::vector<count> data_;
};

}  // namespace quiesce::explorer::detail
