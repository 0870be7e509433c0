// The readers of a domain, one record for each thread that ever read in it.
#pragma once

#include <atomic>
#include <cstdint>

#include "quiesce/detail/thread_records.hpp"

namespace quiesce::detail {

template <class P>
struct alignas(64) reader_record {
    /// 0 outside sections; inside one, the newest grace period this thread knew of when it entered.
    typename P::template atomic<std::uint64_t> section{0};
    /// The ticket of those who may be parked here until the owner ends a section; 0 when there are none.
    typename P::template atomic<std::uint64_t> waited{0};
    /// The number of the thread that owns the record; 0 while none does.
    typename P::template atomic<std::uint32_t> owned{P::thread_id()};
    /// The owner's own words; handed on with the record through `owned`.
    typename P::template plain<std::uint64_t> seen{0};
    typename P::template plain<std::uint32_t> nesting{0};
    /// Written before the record is published.
    typename P::template plain<reader_record*> next{nullptr};
    // Under the lock of grace periods.
    /// The grace period in whose way the owner was found, and when, in the section in which it then was.
    typename P::template plain<std::uint64_t> noted{0};
    typename P::template plain<std::uint64_t> noted_at{0};

    reader_record() {
        P::name(section, "reader.section");
        P::name(waited, "reader.waited");
        P::name(owned, "reader.owned");
        P::name(seen, "reader.seen");
        P::name(nesting, "reader.nesting");
    }
};

template <class P>
using reader_registry = thread_records<P, reader_record<P>>;

}  // namespace quiesce::detail
