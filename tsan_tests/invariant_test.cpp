// Each invariant that the core asserts is broken here on purpose: an assertion that cannot fail asserts nothing. Of
// staged caches, those that are asserted at the end of a cache are left to the scenarios, whose defects break them.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "quiesce/detail/callback_queue.hpp"
#include "quiesce/detail/free_shard.hpp"
#include "quiesce/detail/grace_period.hpp"
#include "quiesce/detail/slab_pool.hpp"
#include "quiesce/detail/staged_shard.hpp"
#include "quiesce/native_platform.hpp"
#include "quiesce/object_cache.hpp"

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
    static void expect(const std::vector<std::string>& numbers) {
        EXPECT_EQ(broken, native_platform::checked() ? numbers : std::vector<std::string>{});
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
    expect({"G1"});
}

TEST_F(Invariant, G2AGracePeriodEndsOnceAndOnlyAfterItBegan) {
    reader_registry<native_platform> readers;
    grace_period<native_platform> gp;
    gp.start(readers);
    gp.complete();
    EXPECT_TRUE(broken.empty());
    gp.complete();
    expect({"G2"});
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
    expect({"Q1"});
}

// A queue that is not the one that began the batch does not know of it.
TEST_F(Invariant, Q2OneThreadAtATimeRunsCallbacks) {
    struct replacing : quiesce::basic_rcu_head<native_platform> {
        std::optional<callback_queue<native_platform>> queue;
    } first;
    first.function.set(
        [](quiesce::basic_rcu_head<native_platform>* h) { static_cast<replacing*>(h)->queue.emplace(); });
    first.queue.emplace();
    first.queue->enqueue(&first);
    first.queue->cover();
    first.queue->uncover();
    EXPECT_TRUE(broken.empty());
    EXPECT_EQ(first.queue->run(1), 1U);
    expect({"Q2"});
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
    expect({"F1"});
}

TEST_F(InvariantOfAShard, F2NoMoreIsFreedThanWasHandedOver) {
    hand_over(gp);
    const unsigned one[2] = {1, 0};
    shard.freed(one);
    EXPECT_TRUE(broken.empty());
    shard.freed(one);
    expect({"F2"});
}

TEST_F(InvariantOfAShard, F3ABarrierBeginsAfterTheLastOneIsServed) {
    hand_over(gp);
    EXPECT_TRUE(shard.begin_barrier());
    EXPECT_TRUE(broken.empty());
    (void)shard.begin_barrier();
    expect({"F3"});
}

/// A slab that is in no list.
template <class Owner>
struct slab_memory {
    using slab_of_owner = slab<native_platform, Owner>;

    slab_memory(Owner& owner, const slab_layout& where)
        : layout(where),
          made(::new (native_platform::allocate(layout.bytes, native_platform::limits().slab_bytes))
                   slab_of_owner(owner, layout)) {}
    slab_memory(const slab_memory&) = delete;
    slab_memory& operator=(const slab_memory&) = delete;
    ~slab_memory() {
        made->~slab_of_owner();
        native_platform::deallocate(made, layout.bytes, native_platform::limits().slab_bytes);
    }

    const slab_layout layout;
    slab_of_owner* const made;
};

class InvariantOfASlab : public Invariant {
protected:
    struct owner {};
    using pool_of_owner = slab_pool<native_platform, owner>;

    InvariantOfASlab() { pool.add(slab, layout); }

    owner nobody;
    const slab_layout layout = pool_of_owner::slab::layout_of(64, 64, false);
    slab_memory<owner> memory{nobody, layout};
    pool_of_owner::slab* const slab = memory.made;
    pool_of_owner pool;
};

TEST_F(InvariantOfASlab, K1ASlabIsInTheListOfItsState) {
    (void)pool.take(layout);
    EXPECT_TRUE(broken.empty());
    slab->free_count.set(layout.objects);
    (void)pool.take(layout);
    expect({"K1"});
}

TEST_F(InvariantOfASlab, K2NothingIsPutBackThatWasNotTaken) {
    pool.put(slab, layout, pool.take(layout));
    EXPECT_TRUE(broken.empty());
    slab_memory<owner> other(nobody, layout);
    (void)other.made->take(layout);
    pool.put(other.made, layout, other.made->take(layout));
    expect({"K2"});
}

// Gives a cache more than was taken from it: an object of a slab that says it is the cache's and is not counted.
class InvariantOfACache : public Invariant {
protected:
    using core = cache_core<native_platform>;

    static core* create(quiesce::rcu_domain& domain, std::size_t quarantine_bytes) {
        return core::create(domain,
                            {.name = "objects", .size = size, .alignment = size, .quarantine_bytes = quarantine_bytes});
    }

    struct uncounted {
        explicit uncounted(core& cache) : memory(cache, slab<native_platform>::layout_of(size, size, tracked)) {
            // So that it is neither the first that is out nor the last when it is given back.
            (void)memory.made->take(memory.layout);
            (void)memory.made->take(memory.layout);
            object = memory.made->take(memory.layout);
            if (tracked) {
                const unsigned i = memory.made->index_of(memory.layout, object);
                memory.made->states(memory.layout)[i].use.store(static_cast<std::uint32_t>(object_use::allocated),
                                                                std::memory_order_relaxed);
            }
        }
        slab_memory<core> memory;
        void* object;
    };

    static constexpr std::size_t size = 64;
    static constexpr bool tracked = native_platform::checked();
    quiesce::rcu_domain domain;
};

TEST_F(InvariantOfACache, K3TheQuarantineIsEmptyWhenACacheFindsItsEnd) {
    core* const cache = create(domain, size);
    {
        const uncounted other(*cache);
        // The end waits for it.
        const std::scoped_lock section(domain);
        void* const object = cache->allocate(nullptr);
        cache->free(other.object);
        // It takes the other's place in the quarantine, and that one is counted in its stead.
        cache->free(object);
        EXPECT_TRUE(broken.empty());
        cache->destroy(quiesce::destroy_strategy::last_free);
        // What comes from the quarantine is one too many.
        expect({"K3", "K2"});
    }
    domain.barrier();
    expect({"K4"});
    cache->release();
}

TEST_F(InvariantOfACache, K4NothingIsOutWhenTheSlabsAreReleased) {
    core* const cache = create(domain, 0);
    {
        const uncounted other(*cache);
        const std::scoped_lock section(domain);
        void* const object = cache->allocate(nullptr);
        cache->destroy(quiesce::destroy_strategy::last_free);
        cache->free(object);
        EXPECT_TRUE(broken.empty());
        cache->free(other.object);
        expect({"K2"});
    }
    domain.barrier();
    expect({"K4"});
    cache->release();
}

// Those of stages are told by what the call returns, and the cache reports it.
TEST(InvariantOfAStage, S2NothingWaitsInAStageThatIsClaimed) {
    staged_stage<native_platform> stage;
    EXPECT_TRUE(stage.claim());
    staged_node<native_platform> batch;
    stage.set_waiting(&batch);
    EXPECT_FALSE(stage.claim());
}

TEST_F(Invariant, S5AShardIsGivenBackItsOwnObjects) {
    using shard = staged_shard<native_platform>;
    shard home;
    shard other;
    const staged_layout layout{shard::slab::layout_of(64, 64, false), 0};
    const slab_memory<shard> own(home, layout.slab);
    const slab_memory<shard> foreign(other, layout.slab);
    home.add(own.made, layout);
    const auto put_back = [&](void* object) {
        shard::slabs surplus;
        staged_list<native_platform> objects;
        objects.push_back(::new (object) shard::node());
        return home.put_back(objects, layout, surplus);
    };
    (void)home.take_one(layout);
    (void)home.take_one(layout);
    EXPECT_TRUE(put_back(home.take_one(layout)));
    (void)foreign.made->take(layout.slab);
    (void)foreign.made->take(layout.slab);
    EXPECT_FALSE(put_back(foreign.made->take(layout.slab)));
    // Numbers do not tell: objects of the home's own are out.
    EXPECT_TRUE(broken.empty());
}

}  // namespace
