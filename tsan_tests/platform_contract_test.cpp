// What every platform promises, as far as it can be seen natively.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include "quiesce/native_platform.hpp"

namespace {

using P = quiesce::native_platform;

TEST(NativePlatform, ReadModifyWritesAreAtomic) {
    P::atomic<std::uint64_t> counter{0};
    std::vector<std::jthread> threads;
    for (int i = 0; i != 4; ++i) {
        threads.emplace_back([&] {
            for (int n = 0; n != 10'000; ++n) {
                counter.fetch_add(1, std::memory_order_relaxed);
            }
        });
    }
    threads.clear();
    EXPECT_EQ(counter.load(std::memory_order_relaxed), 40'000U);
}

TEST(NativePlatform, AwaitReturnsAValueThatSatisfiesThePredicate) {
    P::atomic<std::uint64_t> cell{0};
    std::jthread storer([&] {
        for (std::uint64_t v = 1; v <= 3; ++v) {
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
            cell.store(v, std::memory_order_release);
            P::wake(cell);
        }
    });
    EXPECT_EQ(P::await(
                  cell, [](std::uint64_t v) { return v >= 3; }, std::memory_order_acquire),
              3U);
}

TEST(NativePlatform, AwaitForGivesUpWhenTheTimeIsUp) {
    P::atomic<std::uint64_t> cell{0};
    EXPECT_FALSE(P::await_for(
        cell, [](std::uint64_t v) { return v == 1; }, std::memory_order_acquire, 5));
    cell.store(1, std::memory_order_relaxed);
    EXPECT_TRUE(P::await_for(
        cell, [](std::uint64_t v) { return v == 1; }, std::memory_order_acquire, 5));
}

TEST(NativePlatform, WakeReleasesEveryParkedThread) {
    P::atomic<std::uint32_t> cell{0};
    std::vector<std::jthread> waiters;
    for (int i = 0; i != 4; ++i) {
        waiters.emplace_back([&] {
            P::await(
                cell, [](std::uint32_t v) { return v == 1; }, std::memory_order_acquire);
        });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    cell.store(1, std::memory_order_release);
    P::wake(cell);
}

TEST(NativePlatform, AllocationsAreAligned) {
    for (std::size_t alignment = 8; alignment <= 4096; alignment *= 2) {
        void* const memory = P::allocate(64, alignment);
        ASSERT_NE(memory, nullptr);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory) % alignment, 0U);
        P::deallocate(memory, 64, alignment);
    }
}

// Store buffering: without the fences both threads may read 0.
TEST(NativePlatform, LightAndHeavyFencesForbidStoreBuffering) {
    for (int round = 0; round != 300; ++round) {
        P::atomic<std::uint32_t> x{0};
        P::atomic<std::uint32_t> y{0};
        std::atomic<int> ready{0};
        std::uint32_t light = 1;
        std::uint32_t heavy = 1;
        {
            std::jthread a([&] {
                ready.fetch_add(1);
                while (ready.load() != 2) {
                }
                x.store(1, std::memory_order_relaxed);
                P::light_fence();
                light = y.load(std::memory_order_relaxed);
            });
            std::jthread b([&] {
                ready.fetch_add(1);
                while (ready.load() != 2) {
                }
                y.store(1, std::memory_order_relaxed);
                P::heavy_fence();
                heavy = x.load(std::memory_order_relaxed);
            });
        }
        ASSERT_TRUE(light == 1 || heavy == 1);
    }
}

TEST(NativePlatform, TheEnvironmentCanTurnAsymmetricFencesOff) {
    if (std::getenv("QUIESCE_NO_MEMBARRIER") != nullptr) {
        EXPECT_FALSE(quiesce::native::asymmetric_fences);
    }
}

TEST(NativePlatform, NoDefectIsSeededIntoTheProduct) {
    for (int d = 0; d != 64; ++d) {
        EXPECT_FALSE(P::seeded(static_cast<quiesce::defect>(d)));
    }
    static_assert(!P::seeded(quiesce::defect::reader_without_light_fence));
}

TEST(NativePlatform, ThreadSlotsBelongToTheirThread) {
    static std::atomic<int> exits;
    exits = 0;
    int context = 0;
    P::thread_slot<int> slot(&context, [](void*, int*) { exits.fetch_add(1); });
    int mine = 1;
    ASSERT_TRUE(slot.set(&mine));
    std::thread([&] {
        EXPECT_EQ(slot.get(), nullptr);
        int theirs = 2;
        EXPECT_TRUE(slot.set(&theirs));
        EXPECT_EQ(slot.get(), &theirs);
    }).join();
    EXPECT_EQ(exits, 1);
    EXPECT_EQ(slot.get(), &mine);
    EXPECT_TRUE(slot.set(nullptr));
}

}  // namespace
