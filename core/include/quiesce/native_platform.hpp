// The native platform: the product. std::atomic, futexes, membarrier(2), real threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <new>
#include <thread>
#include <type_traits>
#include <utility>

#include "quiesce/detail/pause_handshake.hpp"
#include "quiesce/platform.hpp"

namespace quiesce {

namespace native {

/// Whether light fences are compiler barriers, heavy ones calls of membarrier(2). Chosen at start-up; false where the
/// system call is missing or the environment variable QUIESCE_NO_MEMBARRIER is set, and then both are sequentially
/// consistent fences.
extern const bool asymmetric_fences;

void full_fence() noexcept;
void process_wide_fence() noexcept;
void park(const void* cell, std::uint32_t seen, unsigned milliseconds) noexcept;
void unpark_all(const void* cell) noexcept;
unsigned current_cpu() noexcept;
void guard(void* memory, std::size_t bytes) noexcept;
void unguard(void* memory, std::size_t bytes) noexcept;
/// Pages of the system's; null when there are none.
void* map_pages(std::size_t bytes) noexcept;
void unmap_pages(void* memory, std::size_t bytes) noexcept;
void report(const misuse_report& r);
/// As the platform's functions of these names.
std::uint32_t thread_id() noexcept;
thread_label thread_name(std::uint32_t thread) noexcept;
stall_options default_stall_options() noexcept;
/// The place in the calling function to which the call returns.
const void* caller() noexcept;

constexpr std::size_t max_slots = 1536;

/// A thread's pointers, one for each slot. A thread that has set none reads the shared empty table.
struct slot_table {
    std::atomic<void*> entry[max_slots];
    // The list of all threads' tables; `link` is the pointer to this one.
    slot_table* next = nullptr;
    slot_table** link = nullptr;
};

extern constinit slot_table empty_slot_table;
extern constinit thread_local slot_table* slots;

/// Around a fork: nobody registers or exits; in the child the other threads' tables go.
void slots_before_fork() noexcept;
void slots_after_fork(bool in_child) noexcept;

/// What a slot's owner is asked about a thread's value.
struct slot_hooks {
    void* context = nullptr;
    /// Called when a thread exits that has a value.
    void (*exits)(void* context, void* value) = nullptr;
    /// Whether a thread with that value is inside a section or a callback; null when no value means that.
    bool (*busy)(void* context, void* value) = nullptr;
};

/// Returns max_slots when all are taken.
std::size_t acquire_slot(const slot_hooks& hooks) noexcept;
/// Forgets what every thread keeps there, without calling the hook.
void release_slot(std::size_t index) noexcept;
/// Returns false, and sets nothing, when there is no memory.
bool set_slot(std::size_t index, void* value) noexcept;
/// Whether any slot's value says that the calling thread is busy.
bool thread_is_busy() noexcept;

/// A thread that is started when it is first needed, and stopped once and for all.
template <class P>
class service_thread {
public:
    service_thread() = default;
    service_thread(const service_thread&) = delete;
    service_thread& operator=(const service_thread&) = delete;

    /// Throws std::system_error when no thread can be had. Does nothing after `stop`.
    template <class Run>
    void ensure_started(Run run) {
        if (phase_.started()) [[likely]] {
            return;
        }
        if (phase_.left_to_pauser()) {
            return;
        }
        const std::scoped_lock hold(lock_);
        if (phase_.needed()) {
            thread_ = std::thread([this, run] {
                running_.store(std::this_thread::get_id(), std::memory_order_relaxed);
                run();
            });
            phase_.set_started();
        }
    }

    /// Asks the thread to stop, makes it look by `wake`, and waits for it.
    template <class Wake>
    void stop(Wake wake) noexcept {
        const std::scoped_lock hold(lock_);
        // What it runs may end the process: then this is the thread itself, which ends with the process.
        if (!on_this_thread()) {
            join(wake);
        }
        stopping_.store(true, std::memory_order_relaxed);
        phase_.set_started();
        absent_.store(true, std::memory_order_relaxed);
    }

    // Around a fork. In the parent a thread that was running, or was asked for meanwhile, is started again; in the
    // child it is when it is needed.

    template <class Wake>
    void before_fork(Wake wake) noexcept {
        lock_.lock();
        if (absent() || on_this_thread()) {
            return;
        }
        phase_.pause(thread_.joinable());
        join(wake);
        absent_.store(true, std::memory_order_relaxed);
    }
    template <class Run>
    void after_fork_in_parent(Run run) noexcept {
        after_fork_in_child();
        if (phase_.wanted()) {
            try {
                ensure_started(run);
            } catch (const std::exception&) {
                // Dropped: no thread can be had now, and one is asked for again when it is next needed.
            }
        }
    }
    void after_fork_in_child() noexcept {
        if (phase_.paused()) {
            absent_.store(false, std::memory_order_relaxed);
            phase_.end_pause();
        }
        lock_.unlock();
    }

    bool asked_to_stop() const noexcept { return stopping_.load(std::memory_order_relaxed); }
    /// Whether it is stopped, or paused for a fork.
    bool absent() const noexcept { return absent_.load(std::memory_order_relaxed); }
    bool on_this_thread() const noexcept {
        return running_.load(std::memory_order_relaxed) == std::this_thread::get_id();
    }

private:
    template <class Wake>
    void join(Wake wake) noexcept {
        if (thread_.joinable()) {
            stopping_.store(true, std::memory_order_relaxed);
            wake();
            thread_.join();
            running_.store({}, std::memory_order_relaxed);
            stopping_.store(false, std::memory_order_relaxed);
        }
    }

    std::mutex lock_;
    std::thread thread_;
    /// The thread, as it knows itself.
    std::atomic<std::thread::id> running_{};
    detail::pause_handshake<P> phase_;
    std::atomic<bool> stopping_{false};
    std::atomic<bool> absent_{false};
};

/// What must be whole in the child of a fork.
class fork_participant {
public:
    virtual void before_fork_pause() = 0;
    virtual bool before_fork_try_settle() = 0;
    virtual void before_fork_unsettle() = 0;
    virtual void before_fork_lock() = 0;
    virtual void after_fork_in_parent() = 0;
    virtual void after_fork_in_child() = 0;

    fork_participant* next = nullptr;

    fork_participant(const fork_participant&) = delete;
    fork_participant& operator=(const fork_participant&) = delete;

protected:
    fork_participant() = default;
    ~fork_participant() = default;
    // When what is to be called is all there.
    void take_part();
    void take_no_part();
};

}  // namespace native

class native_platform {
public:
    template <class T>
    class atomic {
    public:
        constexpr atomic(T v) noexcept : value_(v) {}

        T load(std::memory_order order) const noexcept { return value_.load(order); }
        void store(T v, std::memory_order order) noexcept { value_.store(v, order); }
        T exchange(T v, std::memory_order order) noexcept { return value_.exchange(v, order); }
        bool compare_exchange_strong(T& expected, T v, std::memory_order success, std::memory_order failure) noexcept {
            return value_.compare_exchange_strong(expected, v, success, failure);
        }
        bool compare_exchange_weak(T& expected, T v, std::memory_order success, std::memory_order failure) noexcept {
            return value_.compare_exchange_weak(expected, v, success, failure);
        }
        T fetch_add(T v, std::memory_order order) noexcept requires std::is_integral_v<T> {
            return value_.fetch_add(v, order);
        }
        T fetch_sub(T v, std::memory_order order) noexcept requires std::is_integral_v<T> {
            return value_.fetch_sub(v, order);
        }

    private:
        friend class native_platform;
        std::atomic<T> value_;
    };

    /// An ordinary variable. ThreadSanitizer sees it as what it is.
    template <class T>
    class plain {
    public:
        constexpr plain(T v) noexcept : value_(v) {}
        T get() const noexcept { return value_; }
        void set(T v) noexcept { value_ = v; }

    private:
        T value_;
    };

    using mutex = std::mutex;

    /// A pointer of the calling thread's own. The hook runs when a thread exits that has a value set, after its
    /// thread_local destructors.
    template <class T>
    class thread_slot {
    public:
        using hook = void (*)(void* context, T* value);
        using question = bool (*)(T* value);

        thread_slot(void* context, hook on_exit, question busy = nullptr)
            : context_(context),
              on_exit_(on_exit),
              busy_(busy),
              index_(native::acquire_slot({this, &exits, busy == nullptr ? nullptr : &is_busy})) {
            if (index_ == native::max_slots) {
                native::report({misuse::too_many_domains, "rcu_domain", context});
                throw std::bad_alloc();
            }
        }
        thread_slot(const thread_slot&) = delete;
        thread_slot& operator=(const thread_slot&) = delete;
        ~thread_slot() { native::release_slot(index_); }

        T* get() const noexcept {
            return static_cast<T*>(native::slots->entry[index_].load(std::memory_order_relaxed));
        }
        /// Returns whether there was memory for the thread's first value.
        [[nodiscard]] bool set(T* value) noexcept { return native::set_slot(index_, value); }

    private:
        static void exits(void* self, void* value) {
            auto* const slot = static_cast<thread_slot*>(self);
            slot->on_exit_(slot->context_, static_cast<T*>(value));
        }
        static bool is_busy(void* self, void* value) {
            return static_cast<thread_slot*>(self)->busy_(static_cast<T*>(value));
        }

        void* const context_;
        const hook on_exit_;
        const question busy_;
        const std::size_t index_;
    };

    /// The thread that takes the steps of a domain: started by its first work, stopped with the domain.
    template <class Domain>
    class driver : native::fork_participant {
    public:
        explicit driver(Domain& domain) : domain_(domain) { take_part(); }
        driver(const driver&) = delete;
        driver& operator=(const driver&) = delete;
        ~driver() { take_no_part(); }

        void ensure_started() {
            thread_.ensure_started([this] { run(); });
        }
        /// Waits for the callback that is running, if one is and the caller is not in it; leaves the others queued.
        void stop() noexcept {
            thread_.stop([this] { domain_.announce_work(); });
        }

        /// While it is, whoever waits for the domain takes the steps, and looks this often whether that is so.
        bool absent() const noexcept { return thread_.absent(); }
        static constexpr unsigned look_again_ms = 20;

        // The domain calls these when it is at that step.
        void pause_for_fork() {
            thread_.before_fork([this] { domain_.announce_work(); });
        }
        void resume_in_parent() {
            thread_.after_fork_in_parent([this] { run(); });
        }
        void resume_in_child() { thread_.after_fork_in_child(); }

    private:
        void before_fork_pause() override { domain_.before_fork_pause(); }
        bool before_fork_try_settle() override { return domain_.before_fork_try_settle(); }
        void before_fork_unsettle() override { domain_.before_fork_unsettle(); }
        void before_fork_lock() override { domain_.before_fork_lock(); }
        void after_fork_in_parent() override { domain_.after_fork_in_parent(); }
        void after_fork_in_child() override { domain_.after_fork_in_child(); }

        using clock = std::chrono::steady_clock;
        static constexpr clock::time_point never = clock::time_point::max();
        /// How long to wait for readers before looking after other work.
        static constexpr unsigned patience_ms = 5;

        void run() {
            using result = decltype(domain_.advance_grace_period());
            clock::time_point due = never;
            for (;;) {
                const std::uint64_t epoch = domain_.work_epoch();
                // After the epoch: `stop` asks, then changes the epoch.
                if (thread_.asked_to_stop()) {
                    return;
                }
                bool did = monitor(due);
                const result step = domain_.advance_grace_period();
                did |= domain_.reclaim_step() != 0;
                if (domain_.free_step() != 0) {
                    // A batch slot is empty again for what is pending.
                    due = clock::now();
                    did = true;
                }
                if (step == result::waiting_for_readers) {
                    domain_.wait_for_readers(patience_ms);
                } else if (step != result::completed && !did) {
                    // Whoever took the steps just now may be about to stop.
                    const unsigned limit = step == result::busy ? patience_ms : 0;
                    domain_.wait_for_work(epoch, due == never ? limit : milliseconds_until(due));
                }
            }
        }

        // Takes the monitor's step when it is hurried, or has been armed for as long as its delay.
        bool monitor(clock::time_point& due) {
            using state = decltype(domain_.monitor());
            const state asked = domain_.monitor();
            if (asked == state::idle) {
                due = never;
                return false;
            }
            const clock::time_point now = clock::now();
            const auto delay = std::chrono::milliseconds(asked == state::pressed ? limits().pressed_delay_ms
                                                                                 : limits().monitor_delay_ms);
            due = std::min(due, now + delay);
            if (asked != state::hurried && now < due) {
                return false;
            }
            due = never;
            (void)domain_.monitor_step();
            return true;
        }

        static unsigned milliseconds_until(clock::time_point due) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - clock::now()).count();
            return left > 0 ? static_cast<unsigned>(left) : 1;
        }

        Domain& domain_;
        native::service_thread<native_platform> thread_;
    };

    /// The thread that settles destroyed caches, which blocks: started by the first cache that may need it.
    template <class Domain>
    class worker {
    public:
        explicit worker(Domain& domain) noexcept : domain_(domain) {}

        void ensure_started() {
            thread_.ensure_started([this] { run(); });
        }
        /// Waits for the cache that is being settled; leaves the others queued.
        void stop() noexcept {
            thread_.stop([this] { domain_.wake_worker(); });
        }
        bool is_this_thread() const noexcept { return thread_.on_this_thread(); }

        void pause_for_fork() {
            thread_.before_fork([this] { domain_.wake_worker(); });
        }
        void resume_in_parent() {
            thread_.after_fork_in_parent([this] { run(); });
        }
        void resume_in_child() { thread_.after_fork_in_child(); }

    private:
        void run() {
            for (;;) {
                const std::uint64_t seen = domain_.settles_queued();
                if (thread_.asked_to_stop()) {
                    return;
                }
                if (!domain_.settle_step()) {
                    domain_.wait_for_settles(seen);
                }
            }
        }

        Domain& domain_;
        native::service_thread<native_platform> thread_;
    };

    /// Orders this thread's accesses against another thread's heavy fence; nothing else.
    static void light_fence() noexcept {
        if (native::asymmetric_fences) [[likely]] {
            // [fence.1] stays before or after [fence.3] of another thread, as the program has it.
            std::atomic_signal_fence(std::memory_order_seq_cst);
        } else {
            native::full_fence();
        }
    }
    static void heavy_fence() noexcept { native::process_wide_fence(); }

    template <class T, class Predicate>
    static T await(atomic<T>& cell, Predicate satisfied, std::memory_order order) noexcept {
        for (;;) {
            const T seen = cell.load(order);
            if (satisfied(seen)) {
                return seen;
            }
            native::park(futex_word(cell), low_half(seen), 0);
        }
    }

    /// Returns whether the predicate held before the time was up.
    template <class T, class Predicate>
    static bool await_for(atomic<T>& cell, Predicate satisfied, std::memory_order order,
                          unsigned milliseconds) noexcept {
        // One more, since the clock leaves out what has passed of the present millisecond.
        const std::uint64_t deadline = now() + milliseconds + (milliseconds == 0 ? 0 : 1);
        for (;;) {
            const T seen = cell.load(order);
            if (satisfied(seen)) {
                return true;
            }
            const std::uint64_t time = now();
            if (time >= deadline) {
                return false;
            }
            native::park(futex_word(cell), low_half(seen), static_cast<unsigned>(deadline - time));
        }
    }

    template <class T>
    static void wake(atomic<T>& cell) noexcept {
        native::unpark_all(futex_word(cell));
    }

    static std::uint64_t now() noexcept {
        using std::chrono::duration_cast, std::chrono::milliseconds, std::chrono::steady_clock;
        return static_cast<std::uint64_t>(duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count());
    }
    static unsigned this_shard() noexcept { return native::current_cpu(); }
    static std::uint32_t thread_id() noexcept { return native::thread_id(); }
    static thread_label thread_name(std::uint32_t thread) noexcept { return native::thread_name(thread); }
    static stall_options default_stall_options() noexcept { return native::default_stall_options(); }
    /// Natively there is nothing to choose: allocation succeeds or not, timers run or not.
    static unsigned choose(unsigned) noexcept { return 0; }

    /// Returns null when there is no memory.
    static void* allocate(std::size_t bytes, std::size_t alignment) noexcept {
        return ::operator new (bytes, std::align_val_t{alignment}, std::nothrow);
    }
    static void deallocate(void* memory, std::size_t bytes, std::size_t alignment) noexcept {
        ::operator delete (memory, bytes, std::align_val_t{alignment});
    }

    static void* map(std::size_t bytes) noexcept { return native::map_pages(bytes); }
    static void unmap(void* memory, std::size_t bytes) noexcept { native::unmap_pages(memory, bytes); }

    static constexpr quiesce::limits limits() noexcept { return {}; }
    static constexpr bool seeded(defect) noexcept { return false; }
    static constexpr bool checked() noexcept { return QUIESCE_CHECKED != 0; }
    static bool thread_is_busy() noexcept { return native::thread_is_busy(); }
    static void guard(void* memory, std::size_t bytes) noexcept { native::guard(memory, bytes); }
    static void unguard(void* memory, std::size_t bytes) noexcept { native::unguard(memory, bytes); }
    static void report(const misuse_report& r) { native::report(r); }
    template <class T>
    static constexpr void name(const T&, const char*) noexcept {}

private:
    // A futex is a 32-bit word. The low half of a cell stands for it: a parked value and the present one that differ
    // only above would have to be 2^32 changes apart.
    template <class T>
    static const void* futex_word(const atomic<T>& cell) noexcept {
        static_assert(std::is_integral_v<T> && sizeof(T) >= sizeof(std::uint32_t));
        static_assert(std::endian::native == std::endian::little);
        return &cell.value_;
    }
    template <class T>
    static std::uint32_t low_half(T value) noexcept {
        return static_cast<std::uint32_t>(value);
    }
};

}  // namespace quiesce
