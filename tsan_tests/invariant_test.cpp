// Each invariant that the core asserts is broken here on purpose: an assertion that cannot fail asserts nothing. Those
// of staged caches are in staged_cache_destroy_test.cpp.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "quiesce/detail/callback_queue.hpp"
#include "quiesce/detail/free_shard.hpp"
#include "quiesce/detail/grace_period.hpp"
#include "quiesce/detail/slab_pool.hpp"
#include "quiesce/native_platform.hpp"

namespace {

using namespace quiesce::detail;
using quiesce::native_platform;

class Invariant : public testing::Test {
protected:
    Invariant() {
        broken.clear();
        quiesce::set_report_handler([](const quiesce::misuse_report& r) {
            EXPECT_EQ(r.kind, quiesce::misuse::broken_invariant);
            broken.emplace_back(r.call);
        });
    }
    ~Invariant() override { quiesce::set_report_handler(nullptr); }

    // Where misuse is not looked for, nothing is asserted.
    static void expect(const std::string& number) {
        EXPECT_EQ(broken, native_platform::checked() ? std::vector<std::string>{number} : std::vector<std::string>{});
        broken.clear();
    }

    static inline std::vector<std::string> broken;
};

TEST_F(Invariant, G1OneGracePeriodAtATime) {
    reader_registry<native_platform> readers;
    grace_period<native_platform> gp;
    gp.start(readers);
    EXPECT_TRUE(broken.empty());
    gp.start(readers);
    expect("G1");
}

TEST_F(Invariant, G2AGracePeriodEndsOnceAndOnlyAfterItBegan) {
    reader_registry<native_platform> readers;
    grace_period<native_platform> gp;
    gp.start(readers);
    gp.complete();
    EXPECT_TRUE(broken.empty());
    gp.complete();
    expect("G2");
}

TEST_F(Invariant, Q1CallbacksWaitForTheGracePeriodThatIsUnderWayOnly) {
    callback_queue<native_platform> queue;
    quiesce::basic_rcu_head<native_platform> first;
    quiesce::basic_rcu_head<native_platform> second;
    queue.enqueue(&first);
    queue.cover();
    queue.enqueue(&second);
    EXPECT_TRUE(broken.empty());
    queue.cover();
    expect("Q1");
}

class InvariantOfAShard : public Invariant {
protected:
    using block = free_block<native_platform>;

    void hand_over(grace_period<native_platform>& asked) {
        head_list<native_platform> no_heads;
        shard.hand_over(block::create(native_platform::limits().free_block_entries), no_heads, 0, asked);
    }

    free_shard<native_platform> shard;
    grace_period<native_platform> gp;
};

TEST_F(InvariantOfAShard, F1CookiesDoNotDecreaseAlongAList) {
    reader_registry<native_platform> readers;
    grace_period<native_platform> later;
    later.start(readers);
    hand_over(gp);
    hand_over(later);
    EXPECT_TRUE(broken.empty());
    hand_over(gp);
    expect("F1");
}

TEST_F(InvariantOfAShard, F2NoMoreIsFreedThanWasHandedOver) {
    hand_over(gp);
    const unsigned one[2] = {1, 0};
    shard.freed(one);
    EXPECT_TRUE(broken.empty());
    shard.freed(one);
    expect("F2");
}

TEST_F(InvariantOfAShard, F3ABarrierBeginsAfterTheLastOneIsServed) {
    hand_over(gp);
    EXPECT_TRUE(shard.begin_barrier());
    EXPECT_TRUE(broken.empty());
    (void)shard.begin_barrier();
    expect("F3");
}

class InvariantOfASlab : public Invariant {
protected:
    struct owner {};
    using pool_of_owner = slab_pool<native_platform, owner>;
    using slab_of_owner = pool_of_owner::slab;

    struct slab_memory {
        explicit slab_memory(InvariantOfASlab& test)
            : layout(test.layout),
              slab(::new (native_platform::allocate(layout.bytes, native_platform::limits().slab_bytes))
                       slab_of_owner(test.nobody, layout)) {}
        slab_memory(const slab_memory&) = delete;
        slab_memory& operator=(const slab_memory&) = delete;
        ~slab_memory() {
            slab->~slab_of_owner();
            native_platform::deallocate(slab, layout.bytes, native_platform::limits().slab_bytes);
        }
        const slab_layout layout;
        slab_of_owner* slab;
    };

    InvariantOfASlab() { pool.add(slab, layout); }

    owner nobody;
    const slab_layout layout = slab_of_owner::layout_of(64, 64, false);
    slab_memory memory{*this};
    slab_of_owner* const slab = memory.slab;
    pool_of_owner pool;
};

TEST_F(InvariantOfASlab, K1ASlabIsInTheListOfItsState) {
    (void)pool.take(layout);
    EXPECT_TRUE(broken.empty());
    slab->free_count.set(layout.objects);
    (void)pool.take(layout);
    expect("K1");
}

TEST_F(InvariantOfASlab, K2NothingIsPutBackThatWasNotTaken) {
    pool.put(slab, layout, pool.take(layout));
    EXPECT_TRUE(broken.empty());
    slab_memory other(*this);
    (void)other.slab->take(layout);
    pool.put(other.slab, layout, other.slab->take(layout));
    expect("K2");
}

}  // namespace
