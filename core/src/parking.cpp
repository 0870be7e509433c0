// Parking on a cell: futexes.
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <ctime>

#include "quiesce/native_platform.hpp"

namespace quiesce::native {

void park(const void* cell, std::uint32_t seen, unsigned milliseconds) noexcept {
    const timespec limit{static_cast<time_t>(milliseconds / 1000), static_cast<long>(milliseconds % 1000) * 1'000'000L};
    ::syscall(SYS_futex, cell, FUTEX_WAIT_PRIVATE, seen, milliseconds == 0 ? nullptr : &limit, nullptr, 0);
}

void unpark_all(const void* cell) noexcept {
    ::syscall(SYS_futex, cell, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

unsigned current_cpu() noexcept {
    const int cpu = ::sched_getcpu();
    return cpu < 0 ? 0U : static_cast<unsigned>(cpu);
}

}  // namespace quiesce::native
