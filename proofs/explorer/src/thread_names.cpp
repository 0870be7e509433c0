#include "proofs/explorer/src/thread_names.hpp"

#include <sys/mman.h>

#include <new>
#include <thread>

namespace quiesce::explorer::detail {

thread_names::thread_names() {
    void* const memory = ::mmap(nullptr, sizeof(table), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        throw std::bad_alloc();
    }
    table_ = ::new (memory) table{};
    // The first thread is nobody's.
    table_->count.store(1, std::memory_order_relaxed);
}

thread_names::~thread_names() {
    ::munmap(table_, sizeof(table));
}

unsigned thread_names::number_of(unsigned parent, unsigned index) {
    // A lock that works between processes.
    while (table_->busy.exchange(true, std::memory_order_acquire)) {
        std::this_thread::yield();
    }
    const unsigned known = table_->count.load(std::memory_order_relaxed);
    unsigned number = 1;
    while (number != known && (table_->names[number].parent != parent || table_->names[number].index != index)) {
        ++number;
    }
    if (number == address_space::max_threads) {
        number = none;
    } else if (number == known) {
        table_->names[number] = {static_cast<std::uint16_t>(parent), static_cast<std::uint16_t>(index)};
        table_->count.store(known + 1, std::memory_order_release);
    }
    table_->busy.store(false, std::memory_order_release);
    return number;
}

}  // namespace quiesce::explorer::detail
