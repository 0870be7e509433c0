// Which sanitizer the tests are built with: QUIESCE_ASAN, QUIESCE_TSAN or neither.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define QUIESCE_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define QUIESCE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define QUIESCE_ASAN 1
#elif __has_feature(thread_sanitizer)
#define QUIESCE_TSAN 1
#endif
#endif
