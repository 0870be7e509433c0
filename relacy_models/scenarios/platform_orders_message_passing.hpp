// The platform's promise that a release store and an acquire load that reads it order what came before and after.
#pragma once

#include <atomic>
#include <cstdint>

#include "quiesce/platform.hpp"
#include "relacy_models/scenario.hpp"

namespace quiesce::models {

template <class P>
struct platform_orders_message_passing {
    static constexpr defect_info defects[] = {
        {defect::publish_relaxed, "publish_relaxed", "", "data_race", "C++20, [atomics.order]", "the store is relaxed"},
        {defect::subscribe_relaxed, "subscribe_relaxed", "", "data_race", "C++20, [atomics.order]",
         "the load is relaxed"},
    };
    static constexpr std::string_view must_reach[] = {"the message arrived", "it had not arrived yet"};
    static constexpr scenario_info info{
        "platform_orders_message_passing",
        "an acquire load that reads a release store comes after what preceded the store",
        "platform",
        2,
        defects,
        must_reach,
        true};

    typename P::template plain<std::uint32_t> message{0};
    typename P::template atomic<std::uint32_t> flag{0};

    platform_orders_message_passing() {
        P::name(message, "message");
        P::name(flag, "flag");
    }

    void thread(unsigned i) {
        if (i == 0) {
            message.set(1);
            flag.store(1, P::seeded(defect::publish_relaxed) ? std::memory_order_relaxed : std::memory_order_release);
        } else if (flag.load(P::seeded(defect::subscribe_relaxed) ? std::memory_order_relaxed
                                                                  : std::memory_order_acquire) == 1) {
            P::check(message.get() == 1, "the message was not there");
            P::reached("the message arrived");
        } else {
            P::reached("it had not arrived yet");
        }
    }

    void finish() {}
};

}  // namespace quiesce::models
