// When a grace period has waited for readers for too long, and who they are.
//
// Readers store no time, and a reader that is in the way may have come to be so a moment ago: the first section that a
// thread begins after a grace period is waited for too. So there are two looks, half the time-out apart: the first
// notes who is in the way, the second tells of those who have not left the section in which they were noted.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

#include "quiesce/detail/grace_period.hpp"
#include "quiesce/platform.hpp"
#include "quiesce/stall_report.hpp"

namespace quiesce::detail {

/// A report and who gets it.
struct stall_notice {
    stall_report report;
    stall_handler handler;
    void* context;
};

/// All of it under the domain's lock of grace periods.
template <class P>
class stall_watch {
public:
    stall_watch() { set(P::default_stall_options()); }
    stall_watch(const stall_watch&) = delete;
    stall_watch& operator=(const stall_watch&) = delete;

    void set(const stall_options& options) {
        options_ = options;
        if (options_.handler == nullptr) {
            const stall_options standard = P::default_stall_options();
            options_.handler = standard.handler;
            options_.context = standard.context;
        }
        if (options_.handler == nullptr) {
            options_.after_ms = 0;
        }
        number_ = 0;
        told_ = false;
    }

    bool enabled() const { return options_.after_ms != 0; }

    /// After a step: looks whether the grace period that is under way has waited for too long, or one of which that was
    /// told is over. Returns whether there is something to tell.
    bool look(grace_period<P>& gp, std::optional<stall_notice>& found) {
        const std::uint64_t now = P::now();
        if (gp.number() != number_) {
            const bool over = told_;
            if (over) {
                tell(found, stall_kind::readers_over, now);
            }
            follow(gp.number(), now);
            return over;
        }
        return number_ != 0 && waits(gp, now, found);
    }

    /// Looks whether the limit of frees was exceeded since that was told last. Returns whether there is something to
    /// tell: at most once in a time-out.
    bool look(std::uint64_t limit_exceeded, std::optional<stall_notice>& found) {
        const std::uint64_t now = P::now();
        if (limit_exceeded == exceeded_told_ || now < exceeded_next_) {
            return false;
        }
        exceeded_told_ = limit_exceeded;
        exceeded_next_ = now + options_.after_ms;
        tell(found, stall_kind::backlog, now);
        return true;
    }

    /// Milliseconds until `look` may find something of the present grace period; 0 when it never will.
    unsigned until_next_look() const {
        if (!enabled() || number_ == 0) {
            return 0;
        }
        const std::uint64_t age = age_at(P::now());
        const std::uint64_t at = noted_ ? report_at_ : note_at();
        return static_cast<unsigned>(std::clamp<std::uint64_t>(at > age ? at - age : 0, 1, longest_wait));
    }

private:
    static constexpr std::uint64_t longest_wait = std::numeric_limits<int>::max();

    std::uint64_t half() const { return (std::uint64_t{options_.after_ms} + 1) / 2; }
    std::uint64_t note_at() const { return report_at_ - half(); }
    std::uint64_t age_at(std::uint64_t now) const { return now > began_ ? now - began_ : 0; }

    void follow(std::uint64_t number, std::uint64_t now) {
        number_ = number;
        began_ = now;
        report_at_ = options_.after_ms;
        noted_ = false;
        told_ = false;
    }

    bool waits(grace_period<P>& gp, std::uint64_t now, std::optional<stall_notice>& found) {
        const std::uint64_t age = age_at(now);
        if (!noted_) {
            if (age >= note_at()) {
                note(gp, now, age);
            }
            return false;
        }
        if (age < report_at_) {
            if (P::seeded(defect::stall_report_put_off)) {
                note(gp, now, age);
            }
            return false;
        }
        tell(found, stall_kind::readers, now);
        stall_report& report = found->report;
        gp.for_each_noted([&report, now](std::uint32_t thread, std::uint64_t behind, std::uint64_t noted_at) {
            if (report.reader_count == stall_report::most_readers) {
                ++report.other_readers;
                return;
            }
            report.readers[report.reader_count++] = {thread, {}, behind, now > noted_at ? now - noted_at : 0};
        });
        if (report.reader_count == 0) {
            // Who was noted has left, and somebody else has come.
            found.reset();
            note(gp, now, age);
            return false;
        }
        told_ = true;
        noted_ = false;
        report_at_ = std::max(3 * age, age + half());
        return true;
    }

    // Who has been in the way from here on for half the time-out is told of.
    void note(grace_period<P>& gp, std::uint64_t now, std::uint64_t age) {
        gp.note_blocking(now);
        noted_ = true;
        report_at_ = std::max(report_at_, age + half());
    }

    void tell(std::optional<stall_notice>& found, stall_kind kind, std::uint64_t now) const {
        found.emplace(stall_notice{{}, options_.handler, options_.context});
        found->report.kind = kind;
        found->report.domain_name = options_.domain_name;
        found->report.grace_period = number_;
        found->report.began_ms = number_ == 0 ? 0 : began_;
        found->report.waited_ms = number_ == 0 ? 0 : age_at(now);
    }

    stall_options options_;
    /// The grace period that is followed; 0 when none is. When it was first seen, and how old it is when it is
    /// reported.
    std::uint64_t number_ = 0;
    std::uint64_t began_ = 0;
    std::uint64_t report_at_ = 0;
    bool noted_ = false;
    bool told_ = false;
    std::uint64_t exceeded_told_ = 0;
    std::uint64_t exceeded_next_ = 0;
};

}  // namespace quiesce::detail
