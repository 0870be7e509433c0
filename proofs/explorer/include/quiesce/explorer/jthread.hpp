// As std::jthread, with the parts of <stop_token> that it needs. The standard library's stop_token would not do: what
// it shares between threads the explorer does not see.
#pragma once

#include <concepts>
#include <functional>
#include <new>
#include <type_traits>
#include <utility>

#include <quiesce/explorer/atomic.hpp>
#include <quiesce/explorer/thread.hpp>

namespace quiesce::explorer {

/// As std::stop_token, without callbacks.
class stop_token {
public:
    stop_token() noexcept = default;

    [[nodiscard]] bool stop_requested(detail::place at = detail::place::current()) const {
        return requested_ != nullptr && requested_->load(std::memory_order_acquire, at);
    }
    [[nodiscard]] bool stop_possible() const noexcept { return requested_ != nullptr; }
    /// Blocks until a stop is requested: instead of a loop that looks again and again.
    void await_stop(detail::place at = detail::place::current()) const {
        detail::require(stop_possible(), "a stop is awaited that nobody can request", at);
        (void)requested_->await([](bool requested) { return requested; }, std::memory_order_acquire, at);
    }
    friend bool operator==(const stop_token&, const stop_token&) = default;

private:
    friend class stop_source;
    explicit stop_token(atomic<bool>* requested) noexcept : requested_(requested) {}

    atomic<bool>* requested_ = nullptr;
};

/// As std::nostopstate.
struct nostopstate_t {
    explicit nostopstate_t() = default;
};
inline constexpr nostopstate_t nostopstate{};

/// As std::stop_source. Copies share their state, which goes with the execution.
class stop_source {
public:
    explicit stop_source(detail::place at = detail::place::current())
        : requested_(::new (detail::allocate(sizeof(atomic<bool>), alignof(atomic<bool>))) atomic<bool>(false, at)) {}
    explicit stop_source(nostopstate_t) noexcept {}

    [[nodiscard]] stop_token get_token() const noexcept { return stop_token(requested_); }
    [[nodiscard]] bool stop_possible() const noexcept { return requested_ != nullptr; }
    [[nodiscard]] bool stop_requested(detail::place at = detail::place::current()) const {
        return get_token().stop_requested(at);
    }
    /// Whether it was the first request.
    bool request_stop(detail::place at = detail::place::current()) {
        return requested_ != nullptr && !requested_->exchange(true, std::memory_order_acq_rel, at);
    }
    friend bool operator==(const stop_source&, const stop_source&) = default;

private:
    atomic<bool>* requested_ = nullptr;
};

/// As std::jthread: who destroys it requests that it stops, and joins it.
class jthread {
public:
    using id = thread::id;

    jthread() noexcept : source_(nostopstate) {}
    template <class Function, class... Arguments>
    explicit jthread(Function&& function,
                     Arguments&&... arguments) requires(!std::is_same_v<std::remove_cvref_t<Function>, jthread>)
        : source_(),
          thread_(
              started(source_.get_token(), std::forward<Function>(function), std::forward<Arguments>(arguments)...)) {}
    jthread(jthread&& from) noexcept
        : source_(std::exchange(from.source_, stop_source(nostopstate))), thread_(std::move(from.thread_)) {}
    jthread& operator=(jthread&& from) noexcept {
        if (this != &from) {
            stop_and_join();
            source_ = std::exchange(from.source_, stop_source(nostopstate));
            thread_ = std::move(from.thread_);
        }
        return *this;
    }
    ~jthread() { stop_and_join(); }

    bool joinable() const noexcept { return thread_.joinable(); }
    id get_id() const noexcept { return thread_.get_id(); }
    void join(detail::place at = detail::place::current()) { thread_.join(at); }
    void detach(detail::place at = detail::place::current()) { thread_.detach(at); }
    void swap(jthread& other) noexcept {
        std::swap(source_, other.source_);
        thread_.swap(other.thread_);
    }
    [[nodiscard]] stop_source get_stop_source() const noexcept { return source_; }
    [[nodiscard]] stop_token get_stop_token() const noexcept { return source_.get_token(); }
    bool request_stop(detail::place at = detail::place::current()) { return source_.request_stop(at); }
    static unsigned hardware_concurrency() noexcept { return thread::hardware_concurrency(); }

private:
    template <class Function, class... Arguments>
    static thread started(stop_token token, Function&& function, Arguments&&... arguments) {
        if constexpr (std::invocable<std::decay_t<Function>, stop_token, std::decay_t<Arguments>...>) {
            return thread(std::forward<Function>(function), token, std::forward<Arguments>(arguments)...);
        } else {
            return thread(std::forward<Function>(function), std::forward<Arguments>(arguments)...);
        }
    }
    void stop_and_join() {
        // One that outlives its run is no thread any more.
        if (joinable() && detail::is_in_a_run()) {
            (void)request_stop({});
            join({});
        }
    }

    stop_source source_;
    thread thread_;
};

}  // namespace quiesce::explorer
