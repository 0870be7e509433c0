// As <thread>: thread, this_thread; and thread_specific<T>, for variables that each thread has one of.
#pragma once

#include <concepts>
#include <functional>
#include <new>
#include <tuple>
#include <type_traits>
#include <utility>

#include <quiesce/explorer/operations.hpp>

namespace quiesce::explorer {

/// As std::thread. To destroy one that is neither joined nor detached is a violation, "unjoined thread".
class thread {
public:
    /// The number of a thread of the program, below 64; the first is 0.
    class id {
    public:
        id() = default;
        explicit id(unsigned number) : number_(number) {}
        auto operator<=>(const id&) const = default;

    private:
        unsigned number_ = ~0U;
    };

    thread() noexcept = default;
    template <class Body>
    explicit thread(Body body, detail::place at = detail::place::current()) requires std::invocable<Body&&> {
        start(std::move(body), at);
    }
    /// As the standard's, with arguments; where it was called from is not known then.
    template <class Function, class First, class... Rest>
    explicit thread(Function&& function, First&& first, Rest&&... rest) requires
        std::invocable<std::decay_t<Function>, std::decay_t<First>, std::decay_t<Rest>...> {
        start(
            [f = std::decay_t<Function>(std::forward<Function>(function)),
             arguments = std::tuple<std::decay_t<First>, std::decay_t<Rest>...>(
                 std::forward<First>(first), std::forward<Rest>(rest)...)]() mutable {
                std::apply([&f](auto&&... a) { std::invoke(std::move(f), std::forward<decltype(a)>(a)...); },
                           std::move(arguments));
            },
            {});
    }
    thread(thread&& from) noexcept : number_(std::exchange(from.number_, none)) {}
    thread& operator=(thread&& from) noexcept {
        must_not_be_joinable();
        number_ = std::exchange(from.number_, none);
        return *this;
    }
    ~thread() { must_not_be_joinable(); }

    bool joinable() const noexcept { return number_ != none; }
    id get_id() const noexcept { return joinable() ? id(number_) : id(); }
    void join(detail::place at = detail::place::current()) {
        detail::require(joinable(), "a thread is joined that cannot be", at);
        detail::join(std::exchange(number_, none), at);
    }
    void detach(detail::place at = detail::place::current()) {
        detail::require(joinable(), "a thread is detached that cannot be", at);
        number_ = none;
    }
    void swap(thread& other) noexcept { std::swap(number_, other.number_); }
    static unsigned hardware_concurrency() noexcept { return 0; }

private:
    static constexpr unsigned none = ~0U;

    template <class Body>
    void start(Body body, const detail::place& at) {
        void* const memory = detail::allocate(sizeof(Body), alignof(Body));
        number_ = detail::spawn(&run<Body>, ::new (memory) Body(std::move(body)), at);
    }
    template <class Body>
    static void run(void* body) {
        auto* const b = static_cast<Body*>(body);
        std::invoke(std::move(*b));
        b->~Body();
    }
    void must_not_be_joinable() const {
        // One that outlives its run is no thread any more.
        if (joinable() && detail::is_in_a_run()) {
            detail::violate("unjoined thread", "a thread is destroyed that was neither joined nor detached");
        }
    }

    unsigned number_ = none;
};

namespace this_thread {

/// Says that others may go first: a hint to the searches that are not exhaustive, and no operation.
inline void yield(detail::place at = detail::place::current()) {
    detail::yield(at);
}
/// Time does not pass in an exploration: a hint as `yield` is.
template <class Duration>
void sleep_for(const Duration&, detail::place at = detail::place::current()) {
    detail::yield(at);
}
template <class Time>
void sleep_until(const Time&, detail::place at = detail::place::current()) {
    detail::yield(at);
}
/// The number of the calling thread, below 64; the first is 0.
inline unsigned number() {
    return detail::self();
}
inline thread::id get_id() {
    return thread::id(detail::self());
}

}  // namespace this_thread

/// A variable that each thread has one of, made by its default constructor when the thread first asks for it, and
/// destroyed when the thread ends. What the keyword thread_local is for, which the explorer's threads do not know.
template <class T>
class thread_specific {
public:
    thread_specific() = default;
    thread_specific(const thread_specific&) = delete;
    thread_specific& operator=(const thread_specific&) = delete;
    ~thread_specific() { detail::forget_thread_values(this); }

    T& get() const {
        void*& mine = detail::thread_value(this);
        if (mine == nullptr) {
            mine = ::new (detail::allocate(sizeof(T), alignof(T))) T();
            detail::at_thread_exit([](void* value) { static_cast<T*>(value)->~T(); }, mine);
        }
        return *static_cast<T*>(mine);
    }
    T& operator*() const { return get(); }
    T* operator->() const { return &get(); }

private:
    // So that no two have one address.
    [[maybe_unused]] char unused_ = 0;
};

}  // namespace quiesce::explorer
