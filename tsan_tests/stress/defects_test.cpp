// Defects built in natively: that the stress tests find them shows that these tests can fail.
#include <gtest/gtest.h>

#include "relacy_models/scenarios/all.hpp"
#include "tsan_tests/stress/run_scenario.hpp"

namespace {

using namespace quiesce;

#if defined(QUIESCE_ASAN) || defined(QUIESCE_TSAN)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

// Plain builds see a failed check; sanitizers stop the process at the first bad access, which a death test expects.
template <template <class> class Scenario>
void expect_caught(defect seeded) {
    const auto run = [seeded] {
        return stress::run_scenario<Scenario>(models::model_sizes[1], seeded, 1, std::chrono::seconds(60));
    };
    if constexpr (sanitized) {
        testing::FLAGS_gtest_death_test_style = "threadsafe";
        EXPECT_EXIT(
            {
                const stress::stress_result r = run();
                std::exit(r.failures != 0 ? 1 : 0);
            },
            [](int status) { return status != 0; }, "");
    } else {
        EXPECT_GT(run().failures, 0U);
    }
}

TEST(SeededDefectsDeathTest, ACallbackWithoutAGracePeriodIsCaught) {
    expect_caught<models::callbacks_run_after_their_grace_period>(defect::callback_runs_without_grace_period);
}

TEST(SeededDefectsDeathTest, UseOfAnObjectAfterTheSectionIsCaught) {
    expect_caught<models::grace_period_waits_for_readers>(defect::use_after_section);
}

TEST(SeededDefectsDeathTest, UnloadingWithoutABarrierIsCaught) {
    expect_caught<models::module_unload_waits_for_callbacks>(defect::unload_without_barrier);
}

TEST(SeededDefectsDeathTest, AFallbackThatFreesItsWrapperOnlyIsCaught) {
    expect_caught<models::headless_free_falls_back>(defect::fallback_frees_wrapper_only);
}

TEST(SeededDefectsDeathTest, AFallbackThatLinksThroughTheObjectIsCaught) {
    expect_caught<models::headless_free_falls_back>(defect::fallback_links_through_object);
}

TEST(SeededDefectsDeathTest, ALargeBlockInABlockOfSmallObjectsIsCaught) {
    expect_caught<models::blocks_go_back_to_their_allocators>(defect::channels_share_blocks);
}

TEST(SeededDefectsDeathTest, ALargeBlockFreedAsASmallObjectByOneThreadIsCaught) {
    expect_caught<models::single_thread_frees_to_each_allocator>(defect::single_thread_frees_all_as_small);
}

TEST(SeededDefectsDeathTest, AQuiescentPointThatServesWhatItsCallbacksQueueIsCaught) {
    expect_caught<models::quiescent_point_leaves_later_work>(defect::quiescent_point_serves_itself);
}

}  // namespace
