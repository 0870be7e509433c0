// Asymmetric fences: membarrier(2) where the kernel has it.
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

#include "quiesce/native_platform.hpp"

#if defined(__SANITIZE_THREAD__)
#define QUIESCE_UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define QUIESCE_UNDER_TSAN 1
#endif
#endif

namespace quiesce::native {

namespace {

long membarrier(int command) noexcept {
    return ::syscall(SYS_membarrier, command, 0, 0);
}

// Registering costs milliseconds once threads run, so it is done before main.
bool register_for_membarrier() noexcept {
    // For a kernel whose membarrier is slow or suspected, and for the test of the other way.
    if (std::getenv("QUIESCE_NO_MEMBARRIER") != nullptr) {
        return false;
    }
    const long offered = membarrier(MEMBARRIER_CMD_QUERY);
    return offered >= 0 && (offered & MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0 &&
           membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
}

}  // namespace

const bool asymmetric_fences = register_for_membarrier();

void full_fence() noexcept {
#ifdef QUIESCE_UNDER_TSAN
    // ThreadSanitizer does not understand fences (and g++ rejects them there). A read-modify-write of one word is a
    // full barrier on the machines it runs on and an edge that it sees; it is stronger than the fence.
    static std::atomic<unsigned> word{0};
    // [fence.2], emulated.
    word.fetch_add(1, std::memory_order_seq_cst);
#else
    // [fence.2] light and heavy fence alike, where there is no asymmetric pair.
    std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

void process_wide_fence() noexcept {
    full_fence();
    if (asymmetric_fences) {
        // [fence.3] a full fence in every thread that runs, and so at [fence.1].
        membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    }
}

}  // namespace quiesce::native
