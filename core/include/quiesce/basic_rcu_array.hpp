// rcu_array: an array that grows while readers read it.
//
// The problem: a table that is full is replaced by a larger copy, and a reader may just be about to look into the old
// one (Ts'o, 2020, on the race of ext4's online resize). The old array must be kept until no reader can hold it; to
// wait for that at each step makes growing slow, and to queue a callback for each needs memory for each. So the old
// array is given to free_rcu.
//
//     quiesce::rcu_array<group*> groups;
//
//     group* find(std::size_t i) {                       // any number of readers, no lock
//         return groups.get(i).value_or(nullptr);
//     }
//     void add(group* g) { groups.push_back(g); }        // writers wait for each other
//
// Guarantees: an element below the size that a reader finds is there, as the writer left it. What a writer did before
// it added or exchanged an element happens before what a reader does with it.
//
// What it does not do: elements are copies. What an element points to is the caller's: where it is freed too, the
// reader must be inside a section of its own from `get` to its last use. The array never becomes smaller.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <type_traits>

#include "quiesce/detail/lock_hold.hpp"
#include "quiesce/platform.hpp"
#include "quiesce/rcu_domain.hpp"

namespace quiesce {

/// A grow-only array. T is what an atomic of the platform can hold, a pointer or a number for example.
///
/// Source: Ts'o, Singh and Rezki, 2020, on the race of ext4's online resize, and sbi_array_rcu_deref of fs/ext4/ext4.h,
/// which came of it.
template <class T, platform P>
requires std::is_trivially_copyable_v<T>
class basic_rcu_array {
public:
    /// Empty. Does not allocate.
    explicit basic_rcu_array(basic_rcu_domain<P>& domain) : domain_(domain) { P::name(current_, "array.current"); }
    basic_rcu_array(const basic_rcu_array&) = delete;
    basic_rcu_array& operator=(const basic_rcu_array&) = delete;

    /// Requires that nobody uses it any more. Arrays that were replaced are the domain's by now.
    ~basic_rcu_array() {
        if (storage* const s = current_.load(std::memory_order_relaxed); s != nullptr) {
            storage::destroy_now(s, domain_);
        }
    }

    /// The element with that index; none beyond the end. Opens a section for itself and does not block: see above for
    /// what an element points to. Acquire towards the writer that stored the element. Throws std::bad_alloc as
    /// basic_rcu_domain::lock does.
    std::optional<T> get(std::size_t i) const {
        const detail::lock_hold section(domain_);
        storage* const s = seen();
        if (s == nullptr || i >= size_of(*s)) {
            return std::nullopt;
        }
        // [arr.5] acquire pairs with [arr.6].
        return s->elements()[i].value.load(P::seeded(defect::array_element_read_relaxed) ? std::memory_order_relaxed
                                                                                         : std::memory_order_acquire);
    }

    /// How many elements there are: no fewer at a later call. Otherwise as `get`.
    std::size_t size() const {
        const detail::lock_hold section(domain_);
        storage* const s = seen();
        return s == nullptr ? 0 : size_of(*s);
    }

    /// Adds an element and returns its index. Room is doubled when there is none. Throws std::bad_alloc, and has then
    /// done nothing. Waits for other writers. The array that is replaced is given to free_rcu, so the call may wait for
    /// a grace period when there is no memory, is throttled, is misuse inside a section, and throws std::system_error
    /// when the domain's driver cannot be started; the element is there in all these cases.
    std::size_t push_back(T element) {
        const replaced old(domain_);
        const detail::lock_hold writer(lock_);
        storage* s = current_.load(std::memory_order_relaxed);
        const std::size_t count = s == nullptr ? 0 : s->size.load(std::memory_order_relaxed);
        if (s != nullptr && count != s->capacity.get()) {
            s->elements()[count].value.store(element, std::memory_order_relaxed);
            publish_size(*s, count + 1);
            return count;
        }
        s = copy_of(s, count, count == 0 ? 1 : 2 * count);
        s->elements()[count].value.store(element, std::memory_order_relaxed);
        s->size.store(count + 1, std::memory_order_relaxed);
        old.array = publish(s);
        return count;
    }

    /// Makes it that long, with elements T{}, and no longer; does nothing where it is at least that long. Otherwise as
    /// `push_back`.
    void grow(std::size_t elements) {
        const replaced old(domain_);
        const detail::lock_hold writer(lock_);
        storage* s = current_.load(std::memory_order_relaxed);
        const std::size_t count = s == nullptr ? 0 : s->size.load(std::memory_order_relaxed);
        if (elements <= count) {
            return;
        }
        if (s != nullptr && elements <= s->capacity.get()) {
            publish_size(*s, elements);
            return;
        }
        s = copy_of(s, count, elements);
        s->size.store(elements, std::memory_order_relaxed);
        old.array = publish(s);
    }

    /// Replaces an element and returns the one that was there; none beyond the end, and then it does nothing. A reader
    /// that began earlier may still find the old one, also after the return. Waits for other writers.
    std::optional<T> exchange(std::size_t i, T element) {
        const detail::lock_hold writer(lock_);
        storage* const s = current_.load(std::memory_order_relaxed);
        if (s == nullptr || i >= s->size.load(std::memory_order_relaxed)) {
            return std::nullopt;
        }
        // [arr.6] release pairs with [arr.5]: the reader finds what the element points to.
        return s->elements()[i].value.exchange(element, P::seeded(defect::array_element_stored_relaxed)
                                                            ? std::memory_order_relaxed
                                                            : std::memory_order_release);
    }

private:
    struct entry {
        typename P::template atomic<T> value{T{}};
    };

    struct storage {
        typename P::template plain<std::size_t> capacity;
        typename P::template atomic<std::uint64_t> size{0};

        explicit storage(std::size_t elements) : capacity(elements) {
            P::name(capacity, "array.capacity");
            P::name(size, "array.size");
        }

        entry* elements() { return std::launder(reinterpret_cast<entry*>(this + 1)); }

        static std::size_t bytes_for(std::size_t elements) { return sizeof(storage) + elements * sizeof(entry); }
        /// Nothing is destructed in a large block.
        static bool is_large(std::size_t elements) {
            return std::is_trivially_destructible_v<entry> && bytes_for(elements) >= P::limits().mapped_array_bytes;
        }

        static storage* create(std::size_t elements, basic_rcu_domain<P>& domain) {
            static_assert(alignof(storage) >= alignof(entry));
            if (elements > (std::size_t(-1) - sizeof(storage)) / sizeof(entry)) {
                throw std::bad_alloc();
            }
            void* const memory = is_large(elements) ? domain.allocate_large(bytes_for(elements))
                                                    : P::allocate(bytes_for(elements), alignof(storage));
            if (memory == nullptr) {
                throw std::bad_alloc();
            }
            auto* const s = ::new (memory) storage(elements);
            for (std::size_t i = 0; i != elements; ++i) {
                ::new (static_cast<void*>(reinterpret_cast<entry*>(s + 1) + i)) entry();
            }
            return s;
        }

        static void destroy_small(void* memory) {
            auto* const s = static_cast<storage*>(memory);
            const std::size_t capacity = s->capacity.get();
            // Written, so that a reader that is still there is seen to race with it.
            s->capacity.set(0);
            for (std::size_t i = 0; i != capacity; ++i) {
                s->elements()[i].~entry();
            }
            s->~storage();
            P::deallocate(s, bytes_for(capacity), alignof(storage));
        }
        static void destroy_now(storage* s, basic_rcu_domain<P>& domain) {
            if (is_large(s->capacity.get())) {
                domain.free_large(s);
            } else {
                destroy_small(s);
            }
        }
        static void destroy_later(storage* s, basic_rcu_domain<P>& domain) {
            if (P::seeded(defect::array_freed_at_once)) {
                destroy_now(s, domain);
            } else if (is_large(s->capacity.get())) {
                domain.free_large_rcu(s);
            } else {
                domain.free_rcu(s, &destroy_small);
            }
        }
    };

    /// Frees the array that a writer replaced after the writer has let the lock go, since that may wait.
    struct replaced {
        explicit replaced(basic_rcu_domain<P>& d) : domain(d) {}
        replaced(const replaced&) = delete;
        replaced& operator=(const replaced&) = delete;
        ~replaced() noexcept(false) {
            if (array != nullptr) {
                storage::destroy_later(array, domain);
            }
        }
        basic_rcu_domain<P>& domain;
        mutable storage* array = nullptr;
    };

    // For readers, in a section.

    storage* seen() const {
        // [arr.2] acquire pairs with [arr.1].
        return current_.load(P::seeded(defect::array_read_relaxed) ? std::memory_order_relaxed
                                                                   : std::memory_order_acquire);
    }
    static std::size_t size_of(storage& s) {
        // [arr.4] acquire pairs with [arr.3].
        const std::size_t size = s.size.load(P::seeded(defect::array_size_read_relaxed) ? std::memory_order_relaxed
                                                                                        : std::memory_order_acquire);
        // Never more than the capacity, which is written only when the array is built and when it is freed: a reader
        // that comes too early or too late is seen to race with that.
        return std::min(size, s.capacity.get());
    }

    // For writers, under the lock.

    storage* copy_of(storage* from, std::size_t count, std::size_t capacity) {
        storage* const to = storage::create(capacity, domain_);
        for (std::size_t i = 0; i != count; ++i) {
            to->elements()[i].value.store(from->elements()[i].value.load(std::memory_order_relaxed),
                                          std::memory_order_relaxed);
        }
        return to;
    }
    storage* publish(storage* s) {
        storage* const old = current_.load(std::memory_order_relaxed);
        // [arr.1] release pairs with [arr.2]: the reader finds the array built, with the elements of the old one.
        current_.store(
            s, P::seeded(defect::array_published_relaxed) ? std::memory_order_relaxed : std::memory_order_release);
        return old;
    }
    static void publish_size(storage& s, std::size_t size) {
        // [arr.3] release pairs with [arr.4]: the reader that finds the array longer finds the element there.
        s.size.store(size, P::seeded(defect::array_size_published_relaxed) ? std::memory_order_relaxed
                                                                           : std::memory_order_release);
    }

    basic_rcu_domain<P>& domain_;
    typename P::template atomic<storage*> current_{nullptr};
    typename P::mutex lock_;
};

}  // namespace quiesce
