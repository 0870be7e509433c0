// The defects that the suite can seed into the core.
//
// Each enumerator is one named fault in a protocol. The core asks `P::seeded(defect::x)` on the one line where the
// fault lives; in the product that question is a constant false, so the fault is absent from its object code. What
// each defect must produce, and where it was first seen, stands beside the scenario that catches it.
#pragma once

#include <cstdint>

namespace quiesce {

enum class defect : std::uint8_t {
    none,
    // Grace periods.
    reader_without_light_fence,
    writer_without_heavy_fence,
    reader_exit_relaxed,
    reader_announces_after_fence,
    reader_announces_relaxed,
    reader_reads_number_relaxed,
    grace_period_under_way_accepted,
    cookie_read_without_rmw,
    completion_published_relaxed,
    inner_unlock_ends_section,
    // Waking a writer that is parked on a reader.
    park_without_heavy_fence,
    unlock_without_light_fence,
    unlock_tests_waited_first,
    passed_over_without_waking,
    parked_on_the_section,
    // Reports of readers that do not end.
    noted_without_heavy_fence,
    note_outlives_its_section,
    stalled_thread_read_late,
    stalled_thread_read_relaxed,
    stall_report_put_off,
    stall_reported_under_the_lock,
    stall_handler_not_waited_for,
    stall_handler_left_relaxed,
    print_limit_starts_closed,
    print_limit_in_two_steps,
    // Callbacks and barriers.
    callback_queued_after_start_accepted,
    callback_runs_without_grace_period,
    barrier_skips_running_shard,
    barrier_only_own_shard,
    barrier_counts_while_queueing,
    driver_sleeps_on_stale_epoch,
    driver_not_told_of_foreign_grace_period,
    work_announced_relaxed,
    marker_reached_relaxed,
    thread_exit_keeps_record,
    record_given_up_relaxed,
    record_published_relaxed,
    sleeper_tested_before_announcing,
    // The handshake by which a flusher takes over what a thread keeps.
    owner_without_light_fence,
    owner_tests_gate_before_entering,
    owner_leaves_relaxed,
    owner_leaves_without_light_fence,
    flusher_without_heavy_fence,
    flusher_sleeps_without_heavy_fence,
    flusher_does_not_wait,
    flusher_opens_relaxed,
    // Deferred frees.
    block_cookie_of_first_append,
    batch_freed_without_grace_period,
    hand_over_ignores_channel,
    detached_before_handed_over,
    collected_before_handed_over,
    armed_cleared_after_test,
    monitor_forgets_pending,
    new_record_only_arms,
    monitor_asked_relaxed,
    thread_exit_drops_frees,
    free_barrier_does_not_collect,
    free_barrier_only_own_shard,
    barrier_skips_shard_without_pending,
    shard_drained_relaxed,
    inline_wait_under_shard_lock,
    throttled_in_callback,
    throttled_without_limit,
    // What frees do without memory, and blocks of several allocators.
    fallback_frees_wrapper_only,
    fallback_links_through_object,
    deferred_and_freed_inline,
    channels_share_blocks,
    reserve_not_used,
    reserve_not_armed,
    shrink_not_armed,
    magazine_dropped_without_slot,
    // One thread alone.
    single_thread_frees_all_as_small,
    quiescent_point_serves_itself,
    // The growing array.
    array_published_relaxed,
    array_read_relaxed,
    array_size_published_relaxed,
    array_size_read_relaxed,
    array_element_stored_relaxed,
    array_element_read_relaxed,
    array_freed_at_once,
    // Caches.
    name_kept_while_pending,
    last_free_tests_in_two_steps,
    destroy_waits_with_rcu_barrier,
    destroyer_without_heavy_fence,
    thread_attaches_to_closing_cache,
    slab_released_without_grace_period,
    destroy_ignores_slabs_in_grace,
    end_published_relaxed,
    reference_given_up_relaxed,
    destroy_leaves_quarantine,
    quarantined_after_destroy,
    type_stable_object_constructed_again,
    // Staged caches.
    first_stage_skipped,
    second_stage_skipped,
    batch_added_relaxed,
    batch_taken_relaxed,
    stage_ends_without_looking,
    stage_ended_relaxed,
    second_stage_read_first,
    stages_read_shard_by_shard,
    counters_read_before_draining,
    draining_with_acquire_release,
    addition_counted_acq_rel,
    draining_read_with_acquire,
    draining_set_with_release,
    counter_read_with_acquire,
    destroy_waits_one_round,
    destroy_ignores_refill,
    refill_ended_relaxed,
    end_told_on_worker,
    // A fork.
    pause_begun_relaxed,
    request_left_with_release,
    pause_tested_with_acquire,
    pause_ended_with_release,
    request_looked_for_with_acquire,
    // The end of a program.
    flush_looks_once,
    batch_ends_without_waking,
    flush_skips_staged_caches,
    flush_waits_for_first_domains_only,
    flush_skips_tasks,
    task_returned_relaxed,
    // Faults in the code that uses the core; a scenario plays that code.
    publish_relaxed,
    subscribe_relaxed,
    use_after_section,
    identity_not_checked,
    unload_without_barrier,
    wake_missing,
    wake_before_store,
    read_from_two_cells,
    increment_by_load_and_store,
    third_value_not_expected,
};

/// The N-th named fault of a protocol outside this project: its scenario lists it as a `defect_info` and asks for it
/// with `P::seeded`, as the core does. Only the faults of one scenario must differ.
template <unsigned N>
requires(N < 64) inline constexpr defect user_defect = static_cast<defect>(192 + N);

}  // namespace quiesce
