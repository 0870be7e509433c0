// Which thread is whose how many-th: the same in every execution and every process of an exploration.
#pragma once

#include <atomic>
#include <cstdint>

#include "proofs/explorer/src/memory.hpp"

namespace quiesce::explorer::detail {

/// Numbers for threads, in the order in which they are first heard of. Processes that are forked share one table.
class thread_names {
public:
    static constexpr unsigned none = ~0U;

    /// Throws std::bad_alloc.
    thread_names();
    ~thread_names();
    thread_names(const thread_names&) = delete;
    thread_names& operator=(const thread_names&) = delete;

    /// The number of the parent's thread with this index, a new one if it was never heard of; `none` when there are too
    /// many.
    unsigned number_of(unsigned parent, unsigned index);
    unsigned count() const { return table_->count.load(std::memory_order_acquire); }
    unsigned parent_of(unsigned t) const { return table_->names[t].parent; }
    unsigned index_of(unsigned t) const { return table_->names[t].index; }

private:
    struct name {
        std::uint16_t parent;
        std::uint16_t index;
    };
    struct table {
        std::atomic<bool> busy;
        std::atomic<unsigned> count;
        name names[address_space::max_threads];
    };

    table* table_;
};

}  // namespace quiesce::explorer::detail
