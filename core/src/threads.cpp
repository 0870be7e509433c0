// What the system says of threads.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#include "quiesce/native_platform.hpp"

namespace quiesce::native {

std::uint32_t thread_id() noexcept {
    return static_cast<std::uint32_t>(::gettid());
}

thread_label thread_name(std::uint32_t thread) noexcept {
    thread_label name;
    char path[48];
    std::snprintf(path, sizeof(path), "/proc/self/task/%u/comm", static_cast<unsigned>(thread));
    const int file = ::open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return name;
    }
    // A name has at most one character less than the label, and a line end.
    const ssize_t length = ::read(file, name.text, sizeof(name.text));
    ::close(file);
    name.text[length > 0 ? length - 1 : 0] = '\0';
    return name;
}

}  // namespace quiesce::native
