// What the standard's wording makes ill-formed. A test compiles this file once for each case, with QUIESCE_CASE set to
// its number, and expects the message of the assertion; and once without, which must compile.
#include <type_traits>

#include "tsan_tests/cpp26/rcu_under_test.hpp"

#ifndef QUIESCE_CASE
#define QUIESCE_CASE 0
#endif

namespace {

// [saferecl.rcu.base] p7: "Mandates: T is an rcu-protectable type."
struct of_another_deleter {
    void operator()(void*) const {}
};

#if QUIESCE_CASE == 1
struct node : virtual rcu_ns::rcu_obj_base<node> {};
#elif QUIESCE_CASE == 2
struct node : private rcu_ns::rcu_obj_base<node> {
    using rcu_ns::rcu_obj_base<node>::retire;
};
#elif QUIESCE_CASE == 3
struct node : rcu_ns::rcu_obj_base<node>, rcu_ns::rcu_obj_base<node, of_another_deleter> {
    using rcu_ns::rcu_obj_base<node>::retire;
};
#elif QUIESCE_CASE == 4
struct other;
struct node : rcu_ns::rcu_obj_base<node>, rcu_ns::rcu_obj_base<other> {
    using rcu_ns::rcu_obj_base<node>::retire;
};
#elif QUIESCE_CASE == 5
struct other {};
struct node : rcu_ns::rcu_obj_base<other> {};
#elif QUIESCE_CASE == 6
struct one;
struct left : rcu_ns::rcu_obj_base<one> {};
struct right : rcu_ns::rcu_obj_base<one> {};
struct one : left, right {};
using node = left;
#else
struct node : rcu_ns::rcu_obj_base<node> {};
#endif

// [saferecl.rcu.domain.func] p6: "Mandates: is_move_constructible_v<D> is true and the expression d(p) is well-formed."
#if QUIESCE_CASE == 7
struct deleter {
    deleter() = default;
    deleter(const deleter&) = delete;
    void operator()(void*) const {}
};
#elif QUIESCE_CASE == 8
struct deleter {
    void operator()(double*) const {}
};
#else
using deleter = of_another_deleter;
#endif

[[maybe_unused]] void retires_itself(node& n) {
    n.retire();
}

[[maybe_unused]] void retired(int* p) {
    rcu_ns::rcu_retire<int, deleter>(p);
}

}  // namespace
