// What an exploration is asked for, and what it reports.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace quiesce::explorer {

enum class memory_model : std::uint8_t {
    rc11,   ///< C++20 but for the order of seq_cst operations, which is that of "Repairing Sequential Consistency"
    cpp20,  ///< the order of seq_cst operations as the text of C++20 has it
    sc,     ///< interleavings: nothing is weak
};

enum class verdict : std::uint8_t {
    exhausted,         ///< every execution was explored; a proof at this bound
    bounded,           ///< the search stopped at a bound
    timed_out,         ///< the search stopped at a time limit
    violated,          ///< a failing execution was found
    nondeterministic,  ///< the program did not do the same when it read the same
    engine_error,      ///< the program asked for something that the engine cannot do
};

/// How executions are looked for.
enum class search : std::uint8_t {
    /// Every execution, each once. The only one that can have jobs and a checkpoint.
    exhaustive,
    /// Every order of the operations that changes between threads at most 0 times, then 1, then 2, and so on: the first
    /// violation is one with the fewest changes. `bound` is the most changes, 0 for no bound.
    deepening,
    /// Every order with at most `bound` changes away from a thread that could have gone on.
    preemption_bound,
    /// Random orders with `bound` - 1 changes of priority: Burckhardt, Kothari, Musuvathi and Nagarakatte, "A
    /// Randomized
    /// Scheduler with Probabilistic Guarantees of Finding Bugs", 2010.
    pct,
    /// A random thread at each step.
    random_walk,
};

/// How far a search is.
struct progress {
    /// Of every kind.
    std::uint64_t executions = 0;
    double seconds = 0;
    /// How many there may be in all, of every kind: an estimate from random descents (Knuth, "Estimating the Efficiency
    /// of Backtrack Programs", 1975), with the range in which nine out of ten such estimates would be if the descents
    /// so far are typical. Few executions may hide many, so it can be far too low. 0 where there is none.
    double estimate = 0;
    double at_least = 0;
    double at_most = 0;
};

/// How executions are looked for. Each field is also set by the environment variable that stands beside it, which wins:
/// a run can be changed without a build. A value that cannot be read is an engine_error.
struct options {
    /// QUIESCE_EXPLORER_MODEL: `rc11`, `cpp20` or `sc`.
    memory_model model = memory_model::rc11;
    /// QUIESCE_EXPLORER_SEARCH: `exhaustive`, `deepening`, `preemption_bound`, `pct` or `random_walk`. Those that are
    /// not exhaustive go through orders of operations, of which one execution has many: their counts are of orders.
    explorer::search search = explorer::search::exhaustive;
    /// QUIESCE_EXPLORER_BOUND: see `search`.
    unsigned bound = 0;
    /// QUIESCE_EXPLORER_SEED: of the random searches. Each of their executions depends only on the seed and its number.
    std::uint64_t seed = 1;
    /// QUIESCE_EXPLORER_KEEP_GOING: whether the search goes on after a violation, through racy executions too, and
    /// counts.
    bool keep_going = false;
    /// QUIESCE_EXPLORER_MAX_EXECUTIONS: the most executions; 0 for no bound, which for a random search without
    /// `max_seconds` is 10,000.
    std::uint64_t max_executions = 0;
    /// QUIESCE_EXPLORER_MAX_SECONDS: the most seconds; 0 for no limit.
    double max_seconds = 0;
    /// QUIESCE_EXPLORER_MAX_OPERATIONS: the most operations of one thread in one execution, at most 65,000.
    unsigned max_operations = 10'000;
    /// QUIESCE_EXPLORER_MAX_IDLE_SECONDS: how long, in processor time, a thread may run on without an operation of the
    /// explorer before the search ends: it may wait for what no other thread can do meanwhile, such as a std::atomic. 0
    /// for no limit.
    double max_idle_seconds = 10;
    /// QUIESCE_EXPLORER_SPURIOUS_RETURNS: how often for each thread the wait of a condition variable returns or times
    /// out, or a try_lock or try_acquire fails, for no reason.
    unsigned spurious_returns = 1;
    /// QUIESCE_EXPLORER_SPURIOUS_FAILURES: how often for each thread, in one execution, a weak compare-exchange fails
    /// although it finds the value. A loop that tries again has no end without a bound.
    unsigned spurious_failures = 3;
    /// QUIESCE_EXPLORER_FAILING_ALLOCATIONS: the most allocations of each thread that fail, by choice.
    unsigned failing_allocations = 0;
    /// QUIESCE_EXPLORER_FIND_LEAKS: whether a complete execution that did not delete all that it allocated is a
    /// violation.
    bool find_leaks = true;
    /// QUIESCE_EXPLORER_GUARD_FREED: whether memory that was freed cannot be read or written, by ordinary accesses
    /// either. Slow, and each object takes a page.
    bool guard_freed = false;
    /// QUIESCE_EXPLORER_JOBS: how many processes search. With one it is the calling one; more are forked, so that the
    /// program never runs beside itself, and what it leaves in ordinary memory is not there afterwards. Counts, and the
    /// violation that is reported, are the same.
    unsigned jobs = 1;
    /// QUIESCE_EXPLORER_CHECKPOINT: a file that the search is written to from time to time and when it stops at a bound
    /// or a limit. If it is there at the start, the search goes on from it; when nothing is left to do, it is removed.
    std::string checkpoint = {};
    /// QUIESCE_EXPLORER_CHECKPOINT_SECONDS: the time between two writings.
    double checkpoint_seconds = 10;
    /// QUIESCE_EXPLORER_REPLAY: the `graph` of a violation: that execution alone is run, and reported again.
    std::string replay = {};
    /// Called about twice a second.
    std::function<void(const explorer::progress&)> progress = {};
    /// Called with a hash of the graph of each complete execution: no two are the same. With several jobs it is called
    /// in theirs.
    std::function<void(std::uint64_t graph)> each_execution = {};
};

struct violation {
    /// "data race", "assertion", "deadlock", "use after free", "double free", "invalid free", "leak", "access out of an
    /// object", "uninitialised read", "unjoined thread", "misuse", "escaped exception", "segmentation fault" and what
    /// other signals are called, "unbounded loop", or what a program reports itself.
    std::string kind;
    std::string message;
    /// The execution, an operation in each line, in an order in which they can happen; each load with the store that it
    /// read. Empty with `keep_going`.
    std::string trace;
    /// The same for `options::replay`. Empty with `keep_going`.
    std::string graph;
};

struct report {
    explorer::verdict verdict = explorer::verdict::exhausted;
    /// Complete ones: every thread ended.
    std::uint64_t executions = 0;
    /// No thread can go on, and each that waits has seen the newest value.
    std::uint64_t deadlocks = 0;
    /// A thread waits for a value that it may still read, or a failed assumption or check ended one.
    std::uint64_t incomplete = 0;
    /// Complete executions with a data race; without `keep_going` the search stops at the first.
    std::uint64_t racy = 0;
    /// The first that was found; its kind is empty when there is none.
    explorer::violation violation;
    double seconds = 0;
    /// The option at whose limit something was left out: `max_executions`, `max_seconds`, `max_operations`,
    /// `max_idle_seconds` or `bound`; empty if all was explored or the search ended at a violation. With `keep_going`
    /// the verdict may be `violated` all the same.
    std::string stopped_at;
    /// What `outcome` recorded, with the number of complete executions that did.
    std::map<std::vector<std::int64_t>, std::uint64_t> outcomes;
    /// With `keep_going`: in how many executions there was a violation of each kind.
    std::map<std::string, std::uint64_t> violations;
};

/// Runs `program` once for every execution that it can have, on the calling thread, or with several jobs in processes
/// that are forked from it. Several threads may explore at a time.
report explore(const std::function<void()>& program, const options& how = {});

}  // namespace quiesce::explorer
