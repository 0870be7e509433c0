// How fast the explorer goes through programs whose numbers of executions are known.
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "proofs/explorer/tests/families.hpp"

namespace {

using namespace quiesce::explorer;
using families::family;

constexpr std::array families_measured = {
    family{"nwriters", families::nwriters, 8, 362'880},  family{"readers", families::readers, 18, 262'144},
    family{"lastzero", families::lastzero, 15, 147'456}, family{"ainc", families::ainc, 9, 362'880},
    family{"sbring", families::sbring, 16, 65'536},      family{"ticket", families::ticket, 8, 40'320},
};

double peak_megabytes() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace

int main() {
    std::printf("%-14s %12s %10s %14s %10s\n", "program", "executions", "median s", "executions/s", "peak MB");
    for (const family& f : families_measured) {
        std::array<double, 5> seconds{};
        for (double& s : seconds) {
            const report r = explore([&f] { f.program(f.n); });
            if (r.verdict != verdict::exhausted || r.executions != f.executions) {
                std::printf("%s(%u) has %llu executions, not %llu\n", f.name, f.n,
                            static_cast<unsigned long long>(r.executions),
                            static_cast<unsigned long long>(f.executions));
                return 1;
            }
            s = r.seconds;
        }
        std::sort(seconds.begin(), seconds.end());
        std::printf("%-9s(%2u)  %12llu %10.3f %14.0f %10.1f\n", f.name, f.n,
                    static_cast<unsigned long long>(f.executions), seconds[2],
                    static_cast<double>(f.executions) / seconds[2], peak_megabytes());
    }
}
