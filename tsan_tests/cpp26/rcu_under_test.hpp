// The header <rcu> that the tests of the standard's wording are about: quiesce's, or, with QUIESCE_TEST_STD_RCU, that
// of a standard library that has one. The tests themselves are the same source, so what passes with one compiles with
// the other.
#pragma once

#include <atomic>
#include <chrono>
#include <latch>
#include <thread>
#include <version>

#ifdef QUIESCE_TEST_STD_RCU
#ifndef __cpp_lib_rcu
#error "QUIESCE_TEST_STD_RCU: this standard library has no <rcu>"
#endif
#include <rcu>
namespace rcu_ns = std;
#else
#include "quiesce/rcu.hpp"
namespace rcu_ns = quiesce;
#endif

namespace quiesce::tests {

// Long enough that what does not wait has returned.
inline constexpr std::chrono::milliseconds a_moment{20};

/// A thread that opens a region of the default domain, does `inside` some time after this constructor has returned, and
/// closes the region.
template <class Inside>
class region_elsewhere {
public:
    explicit region_elsewhere(Inside inside)
        : thread_([this, inside] {
              rcu_ns::rcu_domain& domain = rcu_ns::rcu_default_domain();
              domain.lock();
              opened_.count_down();
              std::this_thread::sleep_for(a_moment);
              inside();
              domain.unlock();
          }) {
        opened_.wait();
    }

private:
    std::latch opened_{1};
    std::jthread thread_;
};

}  // namespace quiesce::tests
