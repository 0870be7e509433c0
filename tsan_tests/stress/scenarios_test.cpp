// Every scenario of the suite as a native stress test. The seed is printed; QUIESCE_SEED repeats it.
// QUIESCE_STRESS_MILLISECONDS is the time for each scenario and size.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "relacy_models/scenarios/all.hpp"
#include "tsan_tests/stress/run_scenario.hpp"

namespace {

using namespace quiesce;

std::uint64_t seed_of_this_run() {
    static const std::uint64_t seed = [] {
        const char* const given = std::getenv("QUIESCE_SEED");
        const std::uint64_t s = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
        std::printf("seed %llu\n", static_cast<unsigned long long>(s));
        return s;
    }();
    return seed;
}

std::chrono::milliseconds time_for_each() {
    const char* const given = std::getenv("QUIESCE_STRESS_MILLISECONDS");
    return std::chrono::milliseconds(given != nullptr ? std::strtoul(given, nullptr, 10) : 250);
}

template <template <class> class Scenario>
void stress_all_sizes() {
    for (const models::named_limits& sizes : models::model_sizes) {
        const stress::stress_result r =
            stress::run_scenario<Scenario>(sizes, defect::none, seed_of_this_run(), time_for_each());
        EXPECT_GT(r.iterations, 0U);
        EXPECT_EQ(r.failures, 0U) << "sizes " << sizes.name << ": " << r.first_failure;
    }
}

TEST(ScenarioStress, ArrayIsTakenOverWhole) {
    stress_all_sizes<models::array_is_taken_over_whole>();
}
TEST(ScenarioStress, AsyncDestroySettlesInAWorker) {
    stress_all_sizes<models::async_destroy_settles_in_a_worker>();
}
TEST(ScenarioStress, BarrierWaitsForEarlierCallbacks) {
    stress_all_sizes<models::barrier_waits_for_earlier_callbacks>();
}
TEST(ScenarioStress, CallbacksRunAfterTheirGracePeriod) {
    stress_all_sizes<models::callbacks_run_after_their_grace_period>();
}
TEST(ScenarioStress, DestroyEmptiesTheQuarantine) {
    stress_all_sizes<models::destroy_empties_the_quarantine>();
}
TEST(ScenarioStress, DestroyWaitsForFreesInFlight) {
    stress_all_sizes<models::destroy_waits_for_frees_in_flight>();
}
TEST(ScenarioStress, DriverIsToldOfForeignGracePeriod) {
    stress_all_sizes<models::driver_is_told_of_foreign_grace_period>();
}
TEST(ScenarioStress, FlushAllCoversStagedCaches) {
    stress_all_sizes<models::flush_all_covers_staged_caches>();
}
TEST(ScenarioStress, FlushAllLeavesNothing) {
    stress_all_sizes<models::flush_all_leaves_nothing>();
}
TEST(ScenarioStress, FlushAllWaitsForTasks) {
    stress_all_sizes<models::flush_all_waits_for_tasks>();
}
TEST(ScenarioStress, FreeBatchesRotate) {
    stress_all_sizes<models::free_batches_rotate>();
}
TEST(ScenarioStress, FreeRcuBarrierCoversEarlierShards) {
    stress_all_sizes<models::free_rcu_barrier_covers_earlier_shards>();
}
TEST(ScenarioStress, FreeRcuBarrierMeetsConcurrentFrees) {
    stress_all_sizes<models::free_rcu_barrier_meets_concurrent_frees>();
}
TEST(ScenarioStress, FreeRcuBarrierWaitsForMonitor) {
    stress_all_sizes<models::free_rcu_barrier_waits_for_monitor>();
}
TEST(ScenarioStress, FreeRcuNeedsANewGracePeriod) {
    stress_all_sizes<models::free_rcu_needs_a_new_grace_period>();
}
TEST(ScenarioStress, FreeRcuWaitsForReaders) {
    stress_all_sizes<models::free_rcu_waits_for_readers>();
}
TEST(ScenarioStress, FreeWithoutMemoryHoldsNoLock) {
    stress_all_sizes<models::free_without_memory_holds_no_lock>();
}
TEST(ScenarioStress, GracePeriodCoversEarlierSections) {
    stress_all_sizes<models::grace_period_covers_earlier_sections>();
}
TEST(ScenarioStress, GracePeriodWaitsForNestedReaders) {
    stress_all_sizes<models::grace_period_waits_for_nested_readers>();
}
TEST(ScenarioStress, GracePeriodWaitsForReaders) {
    stress_all_sizes<models::grace_period_waits_for_readers>();
}
TEST(ScenarioStress, GracePeriodsAreShared) {
    stress_all_sizes<models::grace_periods_are_shared>();
}
TEST(ScenarioStress, LastFreeEndsTheCache) {
    stress_all_sizes<models::last_free_ends_the_cache>();
}
TEST(ScenarioStress, ModuleUnloadWaitsForCallbacks) {
    stress_all_sizes<models::module_unload_waits_for_callbacks>();
}
TEST(ScenarioStress, NameIsReusedWhileTheOldCacheIsPending) {
    stress_all_sizes<models::name_is_reused_while_the_old_cache_is_pending>();
}
TEST(ScenarioStress, NewThreadsAreNotMissed) {
    stress_all_sizes<models::new_threads_are_not_missed>();
}
TEST(ScenarioStress, NothingDeferredIsStranded) {
    stress_all_sizes<models::nothing_deferred_is_stranded>();
}
TEST(ScenarioStress, ParkedWriterIsWokenByReader) {
    stress_all_sizes<models::parked_writer_is_woken_by_reader>();
}
TEST(ScenarioStress, ParkedWritersMeetAReturningReader) {
    stress_all_sizes<models::parked_writers_meet_a_returning_reader>();
}
TEST(ScenarioStress, ParkedWritersWakeTogether) {
    stress_all_sizes<models::parked_writers_wake_together>();
}
TEST(ScenarioStress, PlatformFencesForbidStoreBuffering) {
    stress_all_sizes<models::platform_fences_forbid_store_buffering>();
}
TEST(ScenarioStress, PlatformIsCoherent) {
    stress_all_sizes<models::platform_is_coherent>();
}
TEST(ScenarioStress, PlatformReadModifyWritesAreAtomic) {
    stress_all_sizes<models::platform_read_modify_writes_are_atomic>();
}
TEST(ScenarioStress, PlatformChoosesEveryValue) {
    stress_all_sizes<models::platform_chooses_every_value>();
}
TEST(ScenarioStress, PlatformOrdersMessagePassing) {
    stress_all_sizes<models::platform_orders_message_passing>();
}
TEST(ScenarioStress, PlatformWakesWhatAwaits) {
    stress_all_sizes<models::platform_wakes_what_awaits>();
}
TEST(ScenarioStress, PollOrdersSections) {
    stress_all_sizes<models::poll_orders_sections>();
}
TEST(ScenarioStress, PolledCookieIsServed) {
    stress_all_sizes<models::polled_cookie_is_served>();
}
TEST(ScenarioStress, QueuedWorkWakesTheDriver) {
    stress_all_sizes<models::queued_work_wakes_the_driver>();
}
TEST(ScenarioStress, SectionsAfterGracePeriodSeeWhatCameBefore) {
    stress_all_sizes<models::sections_after_grace_period_see_what_came_before>();
}
TEST(ScenarioStress, ServiceAskedForDuringAPauseIsStarted) {
    stress_all_sizes<models::service_asked_for_during_a_pause_is_started>();
}
TEST(ScenarioStress, QuiescentPointLeavesLaterWork) {
    stress_all_sizes<models::quiescent_point_leaves_later_work>();
}
TEST(ScenarioStress, SingleThreadFreesToEachAllocator) {
    stress_all_sizes<models::single_thread_frees_to_each_allocator>();
}
TEST(ScenarioStress, StagedDestroyLeavesNothingOnItsLists) {
    stress_all_sizes<models::staged_destroy_leaves_nothing_on_its_lists>();
}
TEST(ScenarioStress, StagedDestroyMeetsBothStages) {
    stress_all_sizes<models::staged_destroy_meets_both_stages>();
}
TEST(ScenarioStress, StagedDestroySeesTheLastCallbackEnd) {
    stress_all_sizes<models::staged_destroy_sees_the_last_callback_end>();
}
TEST(ScenarioStress, StagedDestroyWaitsForCallbacksOfCallbacks) {
    stress_all_sizes<models::staged_destroy_waits_for_callbacks_of_callbacks>();
}
TEST(ScenarioStress, StagedDestroyWaitsForRefills) {
    stress_all_sizes<models::staged_destroy_waits_for_refills>();
}
TEST(ScenarioStress, StagedDrainingDestroyMissesNoCallback) {
    stress_all_sizes<models::staged_draining_destroy_misses_no_callback>();
}
TEST(ScenarioStress, StagedEndIsToldBeforeBarrierReturns) {
    stress_all_sizes<models::staged_end_is_told_before_barrier_returns>();
}
TEST(ScenarioStress, StagedFreesMeet) {
    stress_all_sizes<models::staged_frees_meet>();
}
TEST(ScenarioStress, StagedObjectsOutlastFirstReaders) {
    stress_all_sizes<models::staged_objects_outlast_first_readers>();
}
TEST(ScenarioStress, StagedObjectsOutlastSecondReaders) {
    stress_all_sizes<models::staged_objects_outlast_second_readers>();
}
TEST(ScenarioStress, StagedOrderedDestroyMissesNoCallback) {
    stress_all_sizes<models::staged_ordered_destroy_misses_no_callback>();
}
TEST(ScenarioStress, StagedTokenWaitSeesTheCacheGone) {
    stress_all_sizes<models::staged_token_wait_sees_the_cache_gone>();
}
TEST(ScenarioStress, ThreadExitHandsItsRecordOn) {
    stress_all_sizes<models::thread_exit_hands_its_record_on>();
}
TEST(ScenarioStress, ThreadExitLeavesItsFrees) {
    stress_all_sizes<models::thread_exit_leaves_its_frees>();
}
TEST(ScenarioStress, ThreadKeepsNothingForADestroyedCache) {
    stress_all_sizes<models::thread_keeps_nothing_for_a_destroyed_cache>();
}
TEST(ScenarioStress, ThrottlingWaitsForNoDeleter) {
    stress_all_sizes<models::throttling_waits_for_no_deleter>();
}
TEST(ScenarioStress, TokenWaitSeesTheCacheGone) {
    stress_all_sizes<models::token_wait_sees_the_cache_gone>();
}
TEST(ScenarioStress, TypeStableDestroyWaitsForItsSlabs) {
    stress_all_sizes<models::type_stable_destroy_waits_for_its_slabs>();
}
TEST(ScenarioStress, TypeStableObjectsAreConstructedOnce) {
    stress_all_sizes<models::type_stable_objects_are_constructed_once>();
}
TEST(ScenarioStress, TypeStableObjectsStayLockable) {
    stress_all_sizes<models::type_stable_objects_stay_lockable>();
}
TEST(ScenarioStress, TypeStableSlabOutlivesReaders) {
    stress_all_sizes<models::type_stable_slab_outlives_readers>();
}
TEST(ScenarioStress, AddedArrayElementIsWhole) {
    stress_all_sizes<models::added_array_element_is_whole>();
}
TEST(ScenarioStress, ExchangedArrayElementIsWhole) {
    stress_all_sizes<models::exchanged_array_element_is_whole>();
}
TEST(ScenarioStress, BlocksGoBackToTheirAllocators) {
    stress_all_sizes<models::blocks_go_back_to_their_allocators>();
}
TEST(ScenarioStress, ExhaustionLosesNoObject) {
    stress_all_sizes<models::exhaustion_loses_no_object>();
}
TEST(ScenarioStress, FreedElementIsUsedInItsSection) {
    stress_all_sizes<models::freed_element_is_used_in_its_section>();
}
TEST(ScenarioStress, GrowingArrayOutlivesItsReaders) {
    stress_all_sizes<models::growing_array_outlives_its_readers>();
}
TEST(ScenarioStress, HeadlessFreeFallsBack) {
    stress_all_sizes<models::headless_free_falls_back>();
}
TEST(ScenarioStress, ReserveIsFilledAgain) {
    stress_all_sizes<models::reserve_is_filled_again>();
}
TEST(ScenarioStress, ReserveServesAFreeWithoutMemory) {
    stress_all_sizes<models::reserve_serves_a_free_without_memory>();
}
TEST(ScenarioStress, ReplacedStallHandlerIsThrough) {
    stress_all_sizes<models::replaced_stall_handler_is_through>();
}
TEST(ScenarioStress, ReportsArePrintedApart) {
    stress_all_sizes<models::reports_are_printed_apart>();
}
TEST(ScenarioStress, StallReportAccusesNoLaterSection) {
    stress_all_sizes<models::stall_report_accuses_no_later_section>();
}
TEST(ScenarioStress, StallReportNamesNoLaterThread) {
    stress_all_sizes<models::stall_report_names_no_later_thread>();
}
TEST(ScenarioStress, StalledReaderIsNamed) {
    stress_all_sizes<models::stalled_reader_is_named>();
}

}  // namespace
