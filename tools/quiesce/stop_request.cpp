#include "tools/quiesce/stop_request.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <initializer_list>
#include <system_error>

namespace quiesce::frontend {

namespace {

int write_end = -1;

void on_signal(int) {
    const int saved = errno;
    // A full pipe already says what this byte would.
    [[maybe_unused]] const ssize_t written = write(write_end, "", 1);
    errno = saved;
}

}  // namespace

stop_request::stop_request() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        throw std::system_error(errno, std::generic_category(), "pipe2");
    }
    read_end_ = ends[0];
    write_end = ends[1];
    for (const int signal : {SIGINT, SIGTERM}) {
        struct sigaction previous {};
        sigaction(signal, nullptr, &previous);
        if (previous.sa_handler != SIG_IGN) {
            struct sigaction action {};
            action.sa_handler = on_signal;
            action.sa_flags = SA_RESTART;
            sigaction(signal, &action, nullptr);
        }
    }
}

bool stop_request::requested() const {
    pollfd waiting{read_end_, POLLIN, 0};
    return poll(&waiting, 1, 0) == 1;
}

}  // namespace quiesce::frontend
