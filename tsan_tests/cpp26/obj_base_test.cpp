// [saferecl.rcu.base] of C++26: the class template rcu_obj_base.
#include <gtest/gtest.h>

#include <memory>
#include <type_traits>
#include <utility>

#include "tsan_tests/cpp26/rcu_under_test.hpp"

namespace {

struct plain : rcu_ns::rcu_obj_base<plain> {
    int value = 0;
};

template <class T>
concept retires = requires(T& object) {
    object.retire();
};

// p1: "Objects of type T to be protected by RCU inherit from a specialization rcu_obj_base<T, D> for some D." and its
// "template<class T, class D = default_delete<T>>".
TEST(Cpp26ObjBase, TheDefaultDeleterIsDefaultDelete) {
    static_assert(std::is_same_v<rcu_ns::rcu_obj_base<plain>, rcu_ns::rcu_obj_base<plain, std::default_delete<plain>>>);
    struct counted : rcu_ns::rcu_obj_base<counted> {
        explicit counted(int& d) : destroyed(d) {}
        ~counted() { ++destroyed; }
        int& destroyed;
    };
    int destroyed = 0;
    (new counted(destroyed))->retire();
    rcu_ns::rcu_barrier();
    EXPECT_EQ(destroyed, 1);
}

// p1: "void retire(D d = D(), rcu_domain& dom = rcu_default_domain()) noexcept;"
TEST(Cpp26ObjBase, RetireHasTheSignatureOfTheSynopsis) {
    static_assert(std::is_same_v<void, decltype(std::declval<plain&>().retire())>);
    static_assert(noexcept(std::declval<plain&>().retire()));
    static_assert(noexcept(std::declval<plain&>().retire(std::default_delete<plain>())));
    static_assert(
        noexcept(std::declval<plain&>().retire(std::default_delete<plain>(), std::declval<rcu_ns::rcu_domain&>())));
    static_assert(retires<plain> && !retires<const plain>);
    (new plain)->retire({}, rcu_ns::rcu_default_domain());
    rcu_ns::rcu_barrier();
}

// p1: "protected: rcu_obj_base() = default; rcu_obj_base(const rcu_obj_base&) = default; rcu_obj_base(rcu_obj_base&&) =
// default; rcu_obj_base& operator=(const rcu_obj_base&) = default; rcu_obj_base& operator=(rcu_obj_base&&) = default;
// ~rcu_obj_base() = default;"
TEST(Cpp26ObjBase, OnlyDerivedTypesConstructCopyMoveAssignAndDestroyIt) {
    using base = rcu_ns::rcu_obj_base<plain>;
    static_assert(!std::is_default_constructible_v<base> && !std::is_copy_constructible_v<base> &&
                  !std::is_move_constructible_v<base> && !std::is_copy_assignable_v<base> &&
                  !std::is_move_assignable_v<base> && !std::is_destructible_v<base>);
    static_assert(std::is_nothrow_default_constructible_v<plain> && std::is_nothrow_copy_constructible_v<plain> &&
                  std::is_nothrow_move_constructible_v<plain> && std::is_nothrow_copy_assignable_v<plain> &&
                  std::is_nothrow_move_assignable_v<plain> && std::is_trivially_destructible_v<plain>);
    static_assert(!std::is_polymorphic_v<plain>);
}

struct moved_only {
    moved_only() = default;
    moved_only(moved_only&&) = default;
    moved_only& operator=(moved_only&&) = default;
    void operator()(auto* p) const { delete p; }
    std::unique_ptr<int> owned;
};

// p1, of a deleter that is moved only: what is defaulted moves with it, and is not copied.
TEST(Cpp26ObjBase, AMoveOnlyDeleterMakesTheTypeMoveOnly) {
    struct node : rcu_ns::rcu_obj_base<node, moved_only> {};
    static_assert(!std::is_copy_constructible_v<node> && !std::is_copy_assignable_v<node>);
    static_assert(std::is_nothrow_move_constructible_v<node> && std::is_nothrow_move_assignable_v<node>);
    moved_only d;
    d.owned = std::make_unique<int>(1);
    (new node)->retire(std::move(d));
    rcu_ns::rcu_barrier();
}

// p1, of copies: "The member function retire was not invoked on x before" (p8) holds of a copy of what was retired.
TEST(Cpp26ObjBase, ACopyOfARetiredObjectMayBeRetired) {
    plain* const original = new plain;
    rcu_ns::rcu_default_domain().lock();
    original->value = 7;
    original->retire();
    plain* const copy = new plain(*original);
    plain* const assigned = new plain;
    *assigned = *original;
    rcu_ns::rcu_default_domain().unlock();
    EXPECT_EQ(copy->value + assigned->value, 14);
    copy->retire();
    assigned->retire();
    rcu_ns::rcu_barrier();
}

// p1: what the synopsis does not name is not found in a type that derives from it.
TEST(Cpp26ObjBase, NamesOfOtherBasesAreNotHidden) {
    struct linked {
        linked* next = nullptr;
        int function = 1;
        int head = 2;
        int callback = 3;
    };
    struct node : rcu_ns::rcu_obj_base<node>, linked {
        int sum() const { return (next == nullptr ? 0 : 10) + function + head + callback; }
    };
    EXPECT_EQ(node().sum(), 6);
}

struct incomplete;
struct has_pointer : rcu_ns::rcu_obj_base<incomplete> {
    incomplete* p = nullptr;
};
static_assert(sizeof(rcu_ns::rcu_obj_base<incomplete>) != 0);
struct incomplete : rcu_ns::rcu_obj_base<incomplete> {
    int value = 0;
};

// p3: "T may be an incomplete type. It shall be complete before any member of the resulting specialization of
// rcu_obj_base is referenced."
TEST(Cpp26ObjBase, TMayBeIncomplete) {
    (new incomplete)->retire();
    rcu_ns::rcu_barrier();
    EXPECT_EQ(has_pointer().p, nullptr);
}

// p4: "D shall be a function object type for which, given a value d of type D and a value ptr of type T*, the
// expression d(ptr) is valid."
TEST(Cpp26ObjBase, EveryKindOfFunctionObjectIsADeleter) {
    static int deleted;
    deleted = 0;

    struct by_pointer : rcu_ns::rcu_obj_base<by_pointer, void (*)(by_pointer*)> {};
    (new by_pointer)->retire([](by_pointer* p) {
        delete p;
        ++deleted;
    });

    struct last final {
        void operator()(void* p) noexcept { ::operator delete(p), ++deleted; }  // not const, and of a base of T*
    };
    struct by_final : rcu_ns::rcu_obj_base<by_final, last> {};
    auto* const f = ::new (::operator new(sizeof(by_final))) by_final;
    f->retire();

    struct by_lambda;
    static constexpr auto lambda = [](auto* p) {
        delete p;
        ++deleted;
    };
    struct by_lambda : rcu_ns::rcu_obj_base<by_lambda, std::remove_const_t<decltype(lambda)>> {};
    (new by_lambda)->retire();

    rcu_ns::rcu_barrier();
    EXPECT_EQ(deleted, 3);
}

struct assigned_only {
    explicit assigned_only(int* d) : deleted(d) {}
    assigned_only() = default;
    assigned_only(assigned_only&&) = delete;
    assigned_only& operator=(assigned_only&& other) noexcept {
        deleted = other.deleted;
        return *this;
    }
    void operator()(auto* p) const {
        int* const count = deleted;
        delete p;
        ++*count;
    }
    int* deleted = nullptr;
};

// p5: "D shall meet the requirements for Cpp17DefaultConstructible and Cpp17MoveAssignable." Not those of construction
// from another one.
TEST(Cpp26ObjBase, ADeleterNeedsNoCopyOrMoveConstructor) {
    struct node : rcu_ns::rcu_obj_base<node, assigned_only> {};
    int deleted = 0;
    (new node)->retire(assigned_only(&deleted));
    rcu_ns::rcu_barrier();
    EXPECT_EQ(deleted, 1);
}

struct tracked {
    tracked() = default;
    explicit tracked(int* n) : assigned(n) {}
    tracked(const tracked&) = delete;
    tracked& operator=(const tracked&) = delete;
    tracked(tracked&&) = delete;
    tracked& operator=(tracked&& other) noexcept {
        assigned = std::exchange(other.assigned, nullptr);
        ++*assigned;
        return *this;
    }
    void operator()(auto* p) const { delete p; }
    int* assigned = nullptr;
};

// p9: "Evaluates deleter = std::move(d)"
TEST(Cpp26ObjBase, RetireMoveAssignsTheDeleter) {
    struct node : rcu_ns::rcu_obj_base<node, tracked> {};
    int assigned = 0;
    (new node)->retire(tracked(&assigned));
    EXPECT_EQ(assigned, 1);
    rcu_ns::rcu_barrier();
    EXPECT_EQ(assigned, 1);
}

// p9: "schedules the evaluation of the expression deleter(addressof(x)) in the domain dom"
TEST(Cpp26ObjBase, TheDeleterIsGivenTheAddressOfTheWholeObject) {
    struct first {
        long words[3] = {};
    };
    struct evasive;
    struct remember {
        void operator()(evasive* p) const { *found = p; }
        evasive** found = nullptr;
    };
    struct evasive : first, rcu_ns::rcu_obj_base<evasive, remember> {
        evasive* operator&() { return nullptr; }
    };
    evasive x;
    evasive* found = nullptr;
    x.retire({&found});
    rcu_ns::rcu_barrier();
    EXPECT_EQ(found, std::addressof(x));
}

// p9: the domain is the one that is named, and the default one where none is.
TEST(Cpp26ObjBase, RetireMayBeCalledInARegionAndInADeleter) {
    static plain* second;
    static int deleted;
    second = new plain;
    deleted = 0;
    struct chained : rcu_ns::rcu_obj_base<chained> {
        ~chained() {
            rcu_ns::rcu_default_domain().lock();
            second->retire();
            rcu_ns::rcu_default_domain().unlock();
            ++deleted;
        }
    };
    rcu_ns::rcu_default_domain().lock();
    (new chained)->retire();
    rcu_ns::rcu_default_domain().unlock();
    rcu_ns::rcu_barrier();
    EXPECT_EQ(deleted, 1);
    rcu_ns::rcu_barrier();  // what the first one scheduled
}

}  // namespace
