#include "quiesce/report.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "quiesce/native_platform.hpp"

namespace quiesce {

namespace {

void print_and_abort(const misuse_report& r) {
    const std::string_view what = describe(r.kind);
    std::fprintf(stderr, "quiesce: misuse in %.*s: %.*s (object %p).\n", static_cast<int>(r.call.size()), r.call.data(),
                 static_cast<int>(what.size()), what.data(), r.subject);
    std::abort();
}

std::atomic<report_handler> handler{&print_and_abort};

}  // namespace

report_handler set_report_handler(report_handler h) noexcept {
    return handler.exchange(h != nullptr ? h : &print_and_abort, std::memory_order_acq_rel);
}

void native::report(const misuse_report& r) {
    handler.load(std::memory_order_acquire)(r);
}

}  // namespace quiesce
