// The growing array: what readers and writers find, and what becomes of replaced arrays.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "quiesce/rcu_array.hpp"
#include "tsan_tests/cache_support.hpp"

namespace {

using namespace quiesce::tests;
using quiesce::rcu_array;

class RcuArray : public CacheTest {
protected:
    ~RcuArray() override { domain.free_rcu_barrier(); }

    // Elements whose array is a large block.
    static constexpr std::size_t large = quiesce::native_platform::limits().mapped_array_bytes / sizeof(void*);
};

TEST_F(RcuArray, StartsEmptyAndWithoutMemory) {
    rcu_array<int> array(domain);
    EXPECT_EQ(array.size(), 0U);
    EXPECT_EQ(array.get(0), std::nullopt);
    EXPECT_EQ(array.exchange(0, 1), std::nullopt);
}

TEST_F(RcuArray, KeepsEveryElementAsItGrows) {
    {
        rcu_array<std::size_t> array(domain);
        for (std::size_t i = 0; i != 4 * large; ++i) {
            EXPECT_EQ(array.push_back(i * 3), i);
            ASSERT_EQ(array.size(), i + 1);
            ASSERT_EQ(array.get(i + 1), std::nullopt);
        }
        for (std::size_t i = 0; i != 4 * large; ++i) {
            ASSERT_EQ(array.get(i), i * 3);
        }
        domain.free_rcu_barrier();
        EXPECT_EQ(domain.large_blocks().blocks, 1U);
    }
    EXPECT_EQ(domain.large_blocks().blocks, 0U);
    EXPECT_EQ(domain.backlog(), 0U);
}

TEST_F(RcuArray, GrowsToALengthAndNeverShrinks) {
    rcu_array<int*> array(domain);
    int value = 0;
    array.grow(3);
    EXPECT_EQ(array.size(), 3U);
    EXPECT_EQ(array.get(2), nullptr);
    EXPECT_EQ(array.exchange(2, &value), nullptr);
    EXPECT_EQ(array.exchange(2, &value), &value);
    array.grow(2);
    EXPECT_EQ(array.size(), 3U);
    array.grow(4);
    EXPECT_EQ(array.size(), 4U);
    EXPECT_EQ(array.get(2), &value);
    EXPECT_EQ(array.get(3), nullptr);
    EXPECT_EQ(array.push_back(&value), 4U);
    array.grow(8);  // where there is room already
    EXPECT_EQ(array.get(4), &value);
    EXPECT_EQ(array.get(7), nullptr);
}

TEST_F(RcuArray, MoreThanThereIsThrowsAndChangesNothing) {
    rcu_array<int> array(domain);
    array.push_back(7);
    EXPECT_THROW(array.grow(~std::size_t{0} / 2), std::bad_alloc);
    EXPECT_THROW(array.grow(std::size_t{1} << 60), std::bad_alloc);
    EXPECT_EQ(array.size(), 1U);
    EXPECT_EQ(array.get(0), 7);
}

TEST_F(RcuArray, AReplacedArrayStaysForItsReaders) {
    rcu_array<int> array(domain);
    array.grow(2 * large);
    domain.free_rcu_barrier();
    reader in_the_way(domain);
    array.grow(4 * large);
    domain.hurry();
    std::this_thread::sleep_for(20ms);
    EXPECT_EQ(domain.large_blocks().blocks, 2U);
    in_the_way.leave();
    EXPECT_TRUE(eventually([this] { return domain.large_blocks().blocks == 1; }));
}

TEST_F(RcuArray, MayBeReadInASection) {
    rcu_array<int> array(domain);
    array.push_back(1);
    const std::scoped_lock section(domain);
    EXPECT_EQ(array.get(0), 1);
    EXPECT_EQ(array.size(), 1U);
}

TEST_F(RcuArray, ReadersFindEveryElementWholeWhileWritersGrowIt) {
    struct element {
        std::uint64_t number = 0;
        std::uint64_t twice = 0;
    };
    constexpr std::size_t most = 3000;
    std::vector<element> elements(2 * most);
    rcu_array<element*> array(domain);
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> bad{0};
    {
        std::vector<std::jthread> readers;
        for (int r = 0; r != 2; ++r) {
            readers.emplace_back([&] {
                std::size_t known = 0;
                while (!stop) {
                    const std::size_t size = array.size();
                    bad += size < known ? 1 : 0;
                    known = size;
                    for (std::size_t i = size < 50 ? 0 : size - 50; i != size; ++i) {
                        const std::optional<element*> found = array.get(i);
                        bad += !found || *found == nullptr || (*found)->twice != 2 * (*found)->number ? 1 : 0;
                    }
                    bad += array.get(2 * most).has_value() ? 1 : 0;
                }
            });
        }
        {
            std::vector<std::jthread> writers;
            for (std::size_t w = 0; w != 2; ++w) {
                writers.emplace_back([&, w] {
                    for (std::size_t i = 0; i != most; ++i) {
                        element& e = elements[w * most + i];
                        e.number = i;
                        e.twice = 2 * i;
                        array.push_back(&e);
                    }
                });
            }
        }
        stop = true;
    }
    EXPECT_EQ(bad, 0U);
    EXPECT_EQ(array.size(), 2 * most);
}

TEST_F(RcuArray, ExchangedElementsMayBeFreedTheSameWay) {
    struct checked : headless {
        using headless::headless;
        ~checked() { canary = 0; }
        unsigned canary = 0xa11fe;
    };
    rcu_array<checked*> array(domain);
    constexpr std::size_t length = 16;
    for (std::size_t i = 0; i != length; ++i) {
        array.push_back(new checked(deleted));
    }
    std::atomic<bool> stop{false};
    std::atomic<int> bad{0};
    int replaced = 0;
    {
        std::vector<std::jthread> readers;
        for (int r = 0; r != 2; ++r) {
            readers.emplace_back([&] {
                for (std::size_t i = 0; !stop; i = (i + 1) % length) {
                    const std::scoped_lock section(domain);
                    bad += (*array.get(i))->canary != 0xa11fe ? 1 : 0;
                }
            });
        }
        const auto deadline = std::chrono::steady_clock::now() + 100ms;
        for (; std::chrono::steady_clock::now() < deadline; ++replaced) {
            checked* const old = *array.exchange(static_cast<std::size_t>(replaced) % length, new checked(deleted));
            quiesce::free_rcu(old, std::default_delete<checked>(), domain);
        }
        stop = true;
    }
    for (std::size_t i = 0; i != length; ++i) {
        delete *array.get(i);
    }
    domain.free_rcu_barrier();
    EXPECT_EQ(bad, 0);
    EXPECT_EQ(deleted, replaced + static_cast<int>(length));
}

}  // namespace
