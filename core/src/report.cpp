#include "quiesce/report.hpp"

#include <dlfcn.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "quiesce/native_platform.hpp"

namespace quiesce {

namespace {

void print_site(const void* address, unsigned long long objects) {
    Dl_info info{};
    if (::dladdr(address, &info) == 0 || info.dli_fname == nullptr) {
        std::fprintf(stderr, "  %llu allocated at %p\n", objects, address);
        return;
    }
    const auto offset = reinterpret_cast<std::uintptr_t>(address) - reinterpret_cast<std::uintptr_t>(info.dli_fbase);
    std::fprintf(stderr, "  %llu allocated at %s+0x%llx%s%s\n", objects, info.dli_fname,
                 static_cast<unsigned long long>(offset), info.dli_sname != nullptr ? " in " : "",
                 info.dli_sname != nullptr ? info.dli_sname : "");
}

void print_and_abort(const misuse_report& r) {
    std::fprintf(stderr, "quiesce: %s%.*s: %s (", is_fatal(r.kind) ? "misuse in " : "", static_cast<int>(r.call.size()),
                 r.call.data(), describe(r.kind));
    if (!r.cache.empty()) {
        std::fprintf(stderr, "cache %.*s, ", static_cast<int>(r.cache.size()), r.cache.data());
    }
    if (r.objects != 0) {
        std::fprintf(stderr, "%llu objects", static_cast<unsigned long long>(r.objects));
    } else {
        std::fprintf(stderr, "object %p", r.subject);
    }
    std::fprintf(stderr, ").\n");
    for (unsigned i = 0; i != r.sites.count; ++i) {
        print_site(r.sites.found[i].address, r.sites.found[i].objects);
    }
    if (r.sites.others != 0) {
        std::fprintf(stderr, "  %llu allocated elsewhere\n", static_cast<unsigned long long>(r.sites.others));
    }
    if (is_fatal(r.kind)) {
        std::abort();
    }
}

std::atomic<report_handler> handler{&print_and_abort};

}  // namespace

report_handler set_report_handler(report_handler h) noexcept {
    // [rep.1] release pairs with [rep.2]: the handler finds what came before it was installed. Acquire, so that who
    // gets the previous one back finds what came before that.
    return handler.exchange(h != nullptr ? h : &print_and_abort, std::memory_order_acq_rel);
}

const void* native::caller() noexcept {
    return __builtin_return_address(0);
}

void native::report(const misuse_report& r) {
    // [rep.2] acquire pairs with [rep.1].
    handler.load(std::memory_order_acquire)(r);
}

}  // namespace quiesce
