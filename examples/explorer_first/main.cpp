// Store buffering: may two threads that each store to one location and then load the other both miss the other's store?
#include <cstdio>

#include <quiesce/explorer.hpp>

namespace ex = quiesce::explorer;

namespace {

void store_buffering() {
    ex::atomic<int> x{0}, y{0};
    int a = 0, b = 0;
    ex::thread t1([&] {
        x.store(1, std::memory_order_relaxed);
        a = y.load(std::memory_order_relaxed);
    });
    ex::thread t2([&] {
        y.store(1, std::memory_order_relaxed);
        b = x.load(std::memory_order_relaxed);
    });
    t1.join();
    t2.join();
    ex::outcome(a, b);
}

void explore_under(const char* name, ex::memory_model model) {
    const ex::report r = ex::explore(store_buffering, {.model = model});
    std::printf("%s: %s, %llu executions\n", name,
                r.verdict == ex::verdict::exhausted ? "exhausted" : r.violation.message.c_str(),
                static_cast<unsigned long long>(r.executions));
    for (const auto& [values, times] : r.outcomes) {
        std::printf("  a=%lld b=%lld in %llu\n", static_cast<long long>(values[0]), static_cast<long long>(values[1]),
                    static_cast<unsigned long long>(times));
    }
}

}  // namespace

int main() {
    explore_under("rc11", ex::memory_model::rc11);
    explore_under("sc", ex::memory_model::sc);
}
