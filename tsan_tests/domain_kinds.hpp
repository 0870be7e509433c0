// Contract tests run over both kinds of domains: with a driver, and of one thread.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <type_traits>

#include "quiesce/single_thread.hpp"

namespace quiesce::tests {

template <platform P>
inline constexpr bool single_threaded = std::is_same_v<P, native_single_thread_platform>;

/// For TYPED_TEST_SUITE: a domain is basic_rcu_domain<TypeParam>.
using domain_kinds = testing::Types<native_platform, native_single_thread_platform>;

struct domain_kind_name {
    template <class P>
    static std::string GetName(int) {
        return single_threaded<P> ? "OneThread" : "WithADriver";
    }
};

/// What goes on without further calls: the driver's work for a while, or what a program of one thread does in its loop.
/// Not in a section.
template <platform P>
void go_on(basic_rcu_domain<P>& domain) {
    if constexpr (single_threaded<P>) {
        domain.quiescent_point();
    } else {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

template <platform P, class Condition>
bool eventually(basic_rcu_domain<P>& domain, Condition holds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!holds()) {
        if (std::chrono::steady_clock::now() >= deadline) {
            return false;
        }
        go_on(domain);
    }
    return true;
}

/// Time enough for a driver to do what it must not do in an open section. Without a driver nothing is done meanwhile.
template <platform P>
void tempt(basic_rcu_domain<P>& domain) {
    if constexpr (!single_threaded<P>) {
        domain.hurry();
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

}  // namespace quiesce::tests
