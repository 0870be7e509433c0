// SIGINT and SIGTERM as a readable file descriptor, so that a poll loop notices them without races.
#pragma once

namespace quiesce::frontend {

/// Installs the handlers; one per program. Signals that the parent chose to ignore stay ignored.
class stop_request {
public:
    stop_request();
    stop_request(const stop_request&) = delete;
    stop_request& operator=(const stop_request&) = delete;

    /// Readable from the first signal on.
    int descriptor() const { return read_end_; }
    bool requested() const;

private:
    int read_end_ = -1;
};

}  // namespace quiesce::frontend
