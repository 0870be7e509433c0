// Stall reports as text, and the default handler, which prints them.
#include "quiesce/stall_report.hpp"

#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <optional>

#include "quiesce/detail/rate_limit.hpp"
#include "quiesce/native_platform.hpp"

namespace quiesce {

namespace {

std::string number(std::uint64_t n) {
    return std::to_string(n);
}

std::string domain_of(const stall_report& r) {
    char address[24];
    std::snprintf(address, sizeof(address), "%p", r.domain);
    return r.domain_name.empty() ? std::string("domain ") + address
                                 : "domain " + std::string(r.domain_name) + " (" + address + ")";
}

std::string line_of(const stalled_reader& r) {
    std::string line = "  thread " + number(r.thread);
    if (r.name.text[0] != '\0') {
        line += std::string(" (") + r.name.text + ")";
    }
    return line + " has been in one section for at least " + number(r.for_ms) + " ms, and is " + number(r.behind) +
           (r.behind == 1 ? " grace period behind\n" : " grace periods behind\n");
}

std::string backlog_of(const stall_report& r) {
    std::string lines = "  pending: " + number(r.callbacks) + " callbacks, " + number(r.deferred) +
                        " deferred frees (limit exceeded " + number(r.limit_exceeded) + " times), " +
                        number(r.large_blocks) + " large blocks of " + number(r.large_bytes) + " bytes\n";
    for (const cache_usage& cache : r.caches) {
        lines += "  cache " + describe(cache) + "\n";
    }
    if (!r.caches_listed) {
        lines += "  no memory for the list of caches\n";
    }
    return lines;
}

// One for each kind, so that the end of what was printed is, too.
constinit detail::rate_limit<native_platform> limits_of_kinds[3];
constinit std::atomic<unsigned> print_interval{native_platform::limits().stall_print_interval_ms};

void print(const stall_report& r, void*) noexcept {
    const std::optional<std::uint64_t> left_out = limits_of_kinds[static_cast<unsigned>(r.kind)].admit(
        native_platform::now(), print_interval.load(std::memory_order_relaxed));
    if (!left_out.has_value()) {
        return;
    }
    try {
        std::string text = describe(r);
        if (*left_out != 0) {
            text += "  " + number(*left_out) + (*left_out == 1 ? " report" : " reports") +
                    " of this kind not printed before\n";
        }
        // At once, so that no other output comes between the lines.
        std::fwrite(text.data(), 1, text.size(), stderr);
    } catch (const std::bad_alloc&) {
        std::fputs("quiesce: a stall report, and no memory for its text\n", stderr);
    }
}

unsigned timeout_from_environment() noexcept {
    const char* const given = std::getenv("QUIESCE_STALL_TIMEOUT_MS");
    unsigned milliseconds = 0;
    if (given == nullptr) {
        return native_platform::limits().stall_timeout_ms;
    }
    const char* const end = given + std::strlen(given);
    const std::from_chars_result read = std::from_chars(given, end, milliseconds);
    if (read.ec != std::errc() || read.ptr != end || read.ptr == given) {
        std::fprintf(stderr, "quiesce: QUIESCE_STALL_TIMEOUT_MS is not a number of milliseconds: %s\n", given);
        return native_platform::limits().stall_timeout_ms;
    }
    return milliseconds;
}

}  // namespace

std::string describe(const stall_report& r) {
    switch (r.kind) {
        case stall_kind::readers_over:
            return "quiesce: grace period " + number(r.grace_period) + " of " + domain_of(r) + " ended after " +
                   number(r.waited_ms) + " ms\n";
        case stall_kind::backlog:
            return "quiesce: frees exceed the limit of the backlog of " + domain_of(r) + "\n" + backlog_of(r);
        case stall_kind::readers: break;
    }
    std::string text = "quiesce: grace period " + number(r.grace_period) + " of " + domain_of(r) +
                       " has waited for readers for " + number(r.waited_ms) + " ms\n";
    for (unsigned i = 0; i != r.reader_count; ++i) {
        text += line_of(r.readers[i]);
    }
    if (r.other_readers != 0) {
        text += "  and " + number(r.other_readers) + " others\n";
    }
    return text + backlog_of(r);
}

unsigned set_stall_print_interval(unsigned milliseconds) noexcept {
    return print_interval.exchange(milliseconds, std::memory_order_relaxed);
}

stall_options native::default_stall_options() noexcept {
    // Not a variable of the namespace: a domain may be built before those of this file.
    static const unsigned after_ms = timeout_from_environment();
    return {after_ms, &print, nullptr, {}};
}

}  // namespace quiesce
