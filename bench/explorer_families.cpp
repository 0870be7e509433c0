// How fast the explorer goes through programs whose numbers of executions are known, and what a second job is worth.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "bench/statistics.hpp"
#include "proofs/explorer/tests/families.hpp"

namespace {

using namespace quiesce::explorer;
using families::family;
using quiesce::bench::median;

constexpr unsigned samples = 5;

constexpr std::array speeds = {
    family{"nwriters", families::nwriters, 8, 362'880},  family{"readers", families::readers, 18, 262'144},
    family{"lastzero", families::lastzero, 15, 147'456}, family{"ainc", families::ainc, 8, 40'320},
    family{"sbring", families::sbring, 16, 65'536},      family{"ticket", families::ticket, 7, 5'040},
};
// Long enough that to start the jobs and to divide the search among them is little of it.
constexpr std::array scaling = {
    family{"nwriters", families::nwriters, 9, 3'628'800}, family{"readers", families::readers, 20, 1'048'576},
    family{"lastzero", families::lastzero, 17, 655'360},  family{"ainc", families::ainc, 9, 362'880},
    family{"sbring", families::sbring, 18, 262'144},      family{"ticket", families::ticket, 8, 40'320},
};

struct sample {
    double seconds = 0;
    /// Of all processes.
    double cpu = 0;
    /// By how much the peak of resident memory grew.
    double bytes = 0;
};

double seconds(const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
}

rusage usage_of(int who) {
    rusage usage{};
    ::getrusage(who, &usage);
    return usage;
}

double cpu_seconds() {
    double all = 0;
    for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
        const rusage usage = usage_of(who);
        all += seconds(usage.ru_utime) + seconds(usage.ru_stime);
    }
    return all;
}

sample measure(const family& f, unsigned jobs) {
    const double cpu_before = cpu_seconds();
    const long peak_before = usage_of(RUSAGE_SELF).ru_maxrss;
    const report r = explore([&f] { f.program(f.n); }, {.jobs = jobs});
    if (r.verdict != verdict::exhausted || r.executions != f.executions) {
        std::printf("%s(%u) has %llu executions, not %llu\n", f.name, f.n,
                    static_cast<unsigned long long>(r.executions), static_cast<unsigned long long>(f.executions));
        std::fflush(stdout);
        ::_exit(1);
    }
    return {.seconds = r.seconds,
            .cpu = cpu_seconds() - cpu_before,
            .bytes = static_cast<double>(usage_of(RUSAGE_SELF).ru_maxrss - peak_before) * 1024};
}

// Each sample in a process of its own: none finds the memory that another one has left.
sample measure_in_own_process(const family& f, unsigned jobs) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) {
        std::perror("pipe");
        std::exit(1);
    }
    std::fflush(stdout);
    const pid_t child = ::fork();
    if (child == 0) {
        const sample s = measure(f, jobs);
        ::_exit(::write(ends[1], &s, sizeof s) == sizeof s ? 0 : 1);
    }
    ::close(ends[1]);
    sample s;
    const bool whole = ::read(ends[0], &s, sizeof s) == sizeof s;
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!whole || status != 0) {
        std::exit(1);
    }
    return s;
}

std::vector<double> column(const std::vector<sample>& all, double sample::*what) {
    std::vector<double> values;
    values.reserve(all.size());
    for (const sample& s : all) {
        values.push_back(s.*what);
    }
    return values;
}

void print_speeds() {
    std::printf("%-13s %11s %9s %15s %13s %11s %16s\n", "program", "executions", "median s", "from-to s",
                "executions/s", "peak +KiB", "bytes/execution");
    for (const family& f : speeds) {
        std::vector<sample> all;
        for (unsigned i = 0; i != samples; ++i) {
            all.push_back(measure_in_own_process(f, 1));
        }
        const std::vector<double> times = column(all, &sample::seconds);
        const auto [least, most] = std::minmax_element(times.begin(), times.end());
        const double time = median(times);
        const double bytes = median(column(all, &sample::bytes));
        const auto executions = static_cast<double>(f.executions);
        std::printf("%-9s(%2u) %11.0f %9.3f %7.3f-%7.3f %13.0f %11.0f %16.1f\n", f.name, f.n, executions, time, *least,
                    *most, executions / time, bytes / 1024, bytes / executions);
    }
}

void print_scaling() {
    std::printf("\n%-13s %11s %9s %9s %10s %12s\n", "program", "executions", "1 job s", "2 jobs s", "speedup", "cpu");
    for (const family& f : scaling) {
        std::array<std::vector<sample>, 2> all;
        for (unsigned i = 0; i != samples; ++i) {
            for (unsigned jobs = 1; jobs <= all.size(); ++jobs) {
                all[jobs - 1].push_back(measure_in_own_process(f, jobs));
            }
        }
        const double one = median(column(all[0], &sample::seconds));
        const double two = median(column(all[1], &sample::seconds));
        const double cpu = median(column(all[1], &sample::cpu)) / median(column(all[0], &sample::cpu));
        std::printf("%-9s(%2u) %11llu %9.3f %9.3f %10.2f %12.2f\n", f.name, f.n,
                    static_cast<unsigned long long>(f.executions), one, two, one / two, cpu);
    }
}

}  // namespace

int main() {
    std::array<double, 1> load{};
    (void)::getloadavg(load.data(), 1);
    std::printf("%ld processors, load %.1f at the start, %u samples each\n\n", ::sysconf(_SC_NPROCESSORS_ONLN), load[0],
                samples);
    print_speeds();
    print_scaling();
}
