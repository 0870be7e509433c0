// A staged cache: where its objects go, and the protocol of its end.
//
// An object given to `free_rcu` goes through the first stage of the shard it was freed on, a grace period of the first
// domain, then through the second stage of its own shard, a grace period of the second domain, then to its slab. The
// callback of a first stage therefore starts second stages, of its own shard and of others. What is too much of the
// objects that `free` made available goes to the second stage at once.
//
// To end the cache, its memory must be released after the last callback. The destroyer reads every stage's counter; if
// all are 0 nothing is in flight, else it waits for both domains' callbacks and reads again, because a callback may
// have queued another one, which a barrier does not cover. After `destroy` nobody but callbacks (and the refill, which
// is waited for first) adds anything, so a counter of a first stage that is 0 stays 0. Each counter is read at another
// moment; why all are 0 at once then is the protocol:
//
// `order`: all first stages' counters are read, then all second stages'. A first stage's counter that is 0 was stored
//   by its last callback after that had counted what it added to second stages, so the second stages' counters, read
//   later, include it. The order matters, and that it is the order of the whole cache and not of each shard, since a
//   callback adds to the second stages of other shards. What is in flight goes its way through its grace periods.
//
// `draining`: the destroyer first sets `draining_`, then reads all second stages' counters, then the first stages'. Who
//   adds to a second stage counts the addition, then reads `draining_`, and if it is set starts no callback but returns
//   the objects at once. The counter and `draining_` are a store-buffering pair: all four accesses are sequentially
//   consistent, so either the adder finds `draining_` set, or the destroyer finds the counter. So a second stage that
//   was read as 0 gets no callback any more, and the first stages, read last, tell when nobody adds any more. No
//   section that could hold an object is open in either domain; only therefore may objects be returned at once.
//
// The memory is released by who finds that nothing is in flight. The end itself, which wakes who waits for it and calls
// a function, comes in `destroy` where nothing was in flight there, when nobody waits yet; else in a callback of the
// first domain, so that `barrier` there covers it.
//
// Which of two finds the other's work is decided by the counters alone; that the destroyer takes what it finds on the
// lists saves callbacks work, and would be right without.
//
// Invariants:
// [S6] After `destroy` no counter of a first stage leaves 0. (Asserted in `release_memory`: nothing is on a list.)
// [S7] At the end every object that is not held is in its slab. (Asserted in `release_memory`.)
// [S1] to [S5] stand with the stages and the shards.
//
// Source: Starovoitov, 2023, on bpf_mem_free_rcu, and Hou Tao's review of it, in which the orders of the counters and
// the list that is filled again are found; `draining` is the form that came of it.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "quiesce/detail/completion.hpp"
#include "quiesce/detail/fixed_array.hpp"
#include "quiesce/detail/staged_registry.hpp"
#include "quiesce/detail/staged_shard.hpp"
#include "quiesce/platform.hpp"
#include "quiesce/rcu_domain.hpp"
#include "quiesce/staged_cache_options.hpp"

namespace quiesce::detail {

template <class P>
class staged_core final : private staged_member<P> {
public:
    using domain = basic_rcu_domain<P>;

    /// Throws std::bad_alloc, std::invalid_argument when the first domain has a cache of that name or the options make
    /// no sense, and std::system_error when a driver cannot be started. The caller holds one reference.
    static staged_core* create(domain& first, domain& second, const staged_cache_options& options);

    staged_core(const staged_core&) = delete;
    staged_core& operator=(const staged_core&) = delete;

    // References: the handle, each token, and the cache itself until it has ended.
    void acquire() { completion_.acquire(); }
    void release();

    /// Null when there is no memory.
    void* allocate();
    void free(void* object);
    void free_rcu(void* object);
    /// Not at the same time as the end of the cache.
    staged_cache_usage usage();
    const staged_cache_options& options() const { return options_; }

    /// Once.
    void destroy();
    bool ended() const { return completion_.ended(); }
    void wait();
    bool wait_for(unsigned milliseconds);
    void on_end(void (*function)(void*), void* context) { completion_.on_end(function, context); }
    /// Whether waiting is misuse where the caller is; reports it.
    bool wait_refused(std::string_view call);
    /// The same, without a report.
    bool may_wait();

private:
    using shard = staged_shard<P>;
    using stage = typename shard::stage;
    using node = typename shard::node;
    using slab = typename shard::slab;
    using list = staged_list<P>;
    using head = basic_rcu_head<P>;

    staged_core(domain& first, domain& second, const staged_cache_options& options);
    ~staged_core() = default;

    // To the registry.
    std::string_view name() const override { return name_; }
    cache_usage listed() override;
    bool has_stage_in_progress() override;
    void ask_for_visit() override;
    std::optional<misuse> refusal_to_wait() override;
    void before_fork() override;
    void after_fork() override;
    bool will_end() override { return end_.function.get() != nullptr; }

    static staged_layout layout_of(const staged_cache_options& options);
    void name_for_traces();

    shard& here() { return (*shards_)[P::this_shard() % shards_->size()]; }
    void* object_of(node* n) const { return reinterpret_cast<char*>(n) + layout_.offset; }
    node* node_of(void* object) const { return reinterpret_cast<node*>(static_cast<char*>(object) - layout_.offset); }

    // Misuse, where it is looked for.
    object_state<P>& state_of(const void* object);
    bool owns(void* object, std::string_view call);
    bool note_use(void* object, object_use from, object_use to, std::string_view call);

    node* allocate_slowly(shard& s);
    bool add_slab(shard& s);
    void destroy_slab(slab* s);
    void ask_for_refill(shard& s);
    static void refill_reached(head* h);
    static void visit_reached(head* h);
    /// The last that a refill, or a visit, does.
    void task_over();

    // Stages. Their owner calls these; afterwards the cache may be gone, but for a callback that still owns another
    // one.
    void start(stage& s);
    void serve(stage& s);
    void send_on(shard& home, list& objects);
    static void first_stage_over(head* h);
    static void second_stage_over(head* h);

    /// Calls `f(home, objects)` for every shard that some of the objects are of.
    template <class Function>
    void for_each_home(node* objects, Function f);
    void put_back(node* objects);
    void put_back_to(shard& home, list& objects);
    /// Runs the destructor, where it has not run.
    void bury(node* n);

    // The end.
    bool draining() const;
    void set_draining();
    bool in_flight();
    bool in_flight_in_order();
    bool in_flight_while_draining();
    static void end_reached(head* h);
    static void end_on_driver(head* h);
    void release_memory();
    void end();
    std::uint64_t held();

    struct alignas(64) task : head {
        staged_core* core = nullptr;
    };

    domain& first_;
    domain& second_;
    const std::string name_;
    staged_cache_options options_;
    const staged_layout layout_;
    /// Until the memory is released.
    std::optional<fixed_array<P, shard>> shards_;
    typename P::template atomic<std::uint32_t> draining_{0};
    /// Refills, and visits of the second domain, that were asked for and are not over.
    typename P::template atomic<std::uint32_t> refills_{0};
    task visit_;
    task end_;
    completion<P> completion_{2};
};

}  // namespace quiesce::detail

#include "quiesce/detail/staged_core_impl.hpp"
#include "quiesce/detail/staged_end_impl.hpp"
