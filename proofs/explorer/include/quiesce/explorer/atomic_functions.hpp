// As the free functions of <atomic>.
#pragma once

#include <type_traits>

#include <quiesce/explorer/atomic.hpp>

namespace quiesce::explorer {

template <class T>
bool atomic_is_lock_free(const atomic<T>* a) noexcept {
    return a->is_lock_free();
}
template <class T>
T atomic_load(const atomic<T>* a, detail::place at = detail::place::current()) {
    return a->load(std::memory_order_seq_cst, at);
}
template <class T>
T atomic_load_explicit(const atomic<T>* a, std::memory_order order, detail::place at = detail::place::current()) {
    return a->load(order, at);
}
template <class T>
void atomic_store(atomic<T>* a, std::type_identity_t<T> value, detail::place at = detail::place::current()) {
    a->store(value, std::memory_order_seq_cst, at);
}
template <class T>
void atomic_store_explicit(atomic<T>* a, std::type_identity_t<T> value, std::memory_order order,
                           detail::place at = detail::place::current()) {
    a->store(value, order, at);
}
template <class T>
T atomic_exchange(atomic<T>* a, std::type_identity_t<T> value, detail::place at = detail::place::current()) {
    return a->exchange(value, std::memory_order_seq_cst, at);
}
template <class T>
T atomic_exchange_explicit(atomic<T>* a, std::type_identity_t<T> value, std::memory_order order,
                           detail::place at = detail::place::current()) {
    return a->exchange(value, order, at);
}
template <class T>
bool atomic_compare_exchange_strong(atomic<T>* a, std::type_identity_t<T>* expected, std::type_identity_t<T> desired,
                                    detail::place at = detail::place::current()) {
    return a->compare_exchange_strong(*expected, desired, std::memory_order_seq_cst, at);
}
template <class T>
bool atomic_compare_exchange_strong_explicit(atomic<T>* a, std::type_identity_t<T>* expected,
                                             std::type_identity_t<T> desired, std::memory_order success,
                                             std::memory_order failure, detail::place at = detail::place::current()) {
    return a->compare_exchange_strong(*expected, desired, success, failure, at);
}
template <class T>
bool atomic_compare_exchange_weak(atomic<T>* a, std::type_identity_t<T>* expected, std::type_identity_t<T> desired,
                                  detail::place at = detail::place::current()) {
    return a->compare_exchange_weak(*expected, desired, std::memory_order_seq_cst, at);
}
template <class T>
bool atomic_compare_exchange_weak_explicit(atomic<T>* a, std::type_identity_t<T>* expected,
                                           std::type_identity_t<T> desired, std::memory_order success,
                                           std::memory_order failure, detail::place at = detail::place::current()) {
    return a->compare_exchange_weak(*expected, desired, success, failure, at);
}
template <class T>
T atomic_fetch_add(atomic<T>* a, typename atomic<T>::difference_type value,
                   detail::place at = detail::place::current()) {
    return a->fetch_add(value, std::memory_order_seq_cst, at);
}
template <class T>
T atomic_fetch_add_explicit(atomic<T>* a, typename atomic<T>::difference_type value, std::memory_order order,
                            detail::place at = detail::place::current()) {
    return a->fetch_add(value, order, at);
}
template <class T>
T atomic_fetch_sub(atomic<T>* a, typename atomic<T>::difference_type value,
                   detail::place at = detail::place::current()) {
    return a->fetch_sub(value, std::memory_order_seq_cst, at);
}
template <class T>
T atomic_fetch_sub_explicit(atomic<T>* a, typename atomic<T>::difference_type value, std::memory_order order,
                            detail::place at = detail::place::current()) {
    return a->fetch_sub(value, order, at);
}
template <class T>
T atomic_fetch_and(atomic<T>* a, std::type_identity_t<T> value, detail::place at = detail::place::current()) {
    return a->fetch_and(value, std::memory_order_seq_cst, at);
}
template <class T>
T atomic_fetch_and_explicit(atomic<T>* a, std::type_identity_t<T> value, std::memory_order order,
                            detail::place at = detail::place::current()) {
    return a->fetch_and(value, order, at);
}
template <class T>
T atomic_fetch_or(atomic<T>* a, std::type_identity_t<T> value, detail::place at = detail::place::current()) {
    return a->fetch_or(value, std::memory_order_seq_cst, at);
}
template <class T>
T atomic_fetch_or_explicit(atomic<T>* a, std::type_identity_t<T> value, std::memory_order order,
                           detail::place at = detail::place::current()) {
    return a->fetch_or(value, order, at);
}
template <class T>
T atomic_fetch_xor(atomic<T>* a, std::type_identity_t<T> value, detail::place at = detail::place::current()) {
    return a->fetch_xor(value, std::memory_order_seq_cst, at);
}
template <class T>
T atomic_fetch_xor_explicit(atomic<T>* a, std::type_identity_t<T> value, std::memory_order order,
                            detail::place at = detail::place::current()) {
    return a->fetch_xor(value, order, at);
}
template <class T>
void atomic_wait(const atomic<T>* a, std::type_identity_t<T> old, detail::place at = detail::place::current()) {
    a->wait(old, std::memory_order_seq_cst, at);
}
template <class T>
void atomic_wait_explicit(const atomic<T>* a, std::type_identity_t<T> old, std::memory_order order,
                          detail::place at = detail::place::current()) {
    a->wait(old, order, at);
}
template <class T>
void atomic_notify_one(atomic<T>* a, detail::place at = detail::place::current()) {
    a->notify_one(at);
}
template <class T>
void atomic_notify_all(atomic<T>* a, detail::place at = detail::place::current()) {
    a->notify_all(at);
}

inline bool atomic_flag_test(const atomic_flag* f, detail::place at = detail::place::current()) {
    return f->test(std::memory_order_seq_cst, at);
}
inline bool atomic_flag_test_explicit(const atomic_flag* f, std::memory_order order,
                                      detail::place at = detail::place::current()) {
    return f->test(order, at);
}
inline bool atomic_flag_test_and_set(atomic_flag* f, detail::place at = detail::place::current()) {
    return f->test_and_set(std::memory_order_seq_cst, at);
}
inline bool atomic_flag_test_and_set_explicit(atomic_flag* f, std::memory_order order,
                                              detail::place at = detail::place::current()) {
    return f->test_and_set(order, at);
}
inline void atomic_flag_clear(atomic_flag* f, detail::place at = detail::place::current()) {
    f->clear(std::memory_order_seq_cst, at);
}
inline void atomic_flag_clear_explicit(atomic_flag* f, std::memory_order order,
                                       detail::place at = detail::place::current()) {
    f->clear(order, at);
}

/// Orders a thread and its signal handlers, of which there are none here.
inline void atomic_signal_fence(std::memory_order) noexcept {}

}  // namespace quiesce::explorer
