// Every scenario of the suite.
#pragma once

#include "relacy_models/scenarios/barrier_waits_for_earlier_callbacks.hpp"
#include "relacy_models/scenarios/callbacks_run_after_their_grace_period.hpp"
#include "relacy_models/scenarios/driver_is_told_of_foreign_grace_period.hpp"
#include "relacy_models/scenarios/grace_period_covers_earlier_sections.hpp"
#include "relacy_models/scenarios/grace_period_waits_for_nested_readers.hpp"
#include "relacy_models/scenarios/grace_period_waits_for_readers.hpp"
#include "relacy_models/scenarios/grace_periods_are_shared.hpp"
#include "relacy_models/scenarios/module_unload_waits_for_callbacks.hpp"
#include "relacy_models/scenarios/parked_writer_is_woken_by_reader.hpp"
#include "relacy_models/scenarios/platform_fences_forbid_store_buffering.hpp"
#include "relacy_models/scenarios/platform_orders_message_passing.hpp"
#include "relacy_models/scenarios/platform_wakes_what_awaits.hpp"
#include "relacy_models/scenarios/polled_cookie_is_served.hpp"
#include "relacy_models/scenarios/queued_work_wakes_the_driver.hpp"
#include "relacy_models/scenarios/sections_after_grace_period_see_what_came_before.hpp"
#include "relacy_models/scenarios/thread_exit_hands_its_record_on.hpp"
