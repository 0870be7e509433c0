// What the program asks for, on its fibers.
#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "proofs/explorer/src/engine.hpp"
#include "proofs/explorer/src/outside.hpp"

namespace quiesce::explorer::detail {

namespace {

order order_of(std::memory_order o) {
    switch (static_cast<int>(o)) {
        case static_cast<int>(order_silent): return order::silent;
        case static_cast<int>(order_announcing): return order::announcing;
        case static_cast<int>(order_from_head): return order::from_head;
        default: break;
    }
    switch (o) {
        case std::memory_order_relaxed: return order::relaxed;
        case std::memory_order_consume:
        case std::memory_order_acquire: return order::acquire;
        case std::memory_order_release: return order::release;
        case std::memory_order_acq_rel: return order::acq_rel;
        case std::memory_order_seq_cst: return order::seq_cst;
    }
    return order::seq_cst;
}

}  // namespace

std::uint32_t engine::location_of(const access& a, const place& at) {
    if (memory_.is_heap(a.cell)) {
        const address_space::block* const b = memory_.block_at(a.cell);
        const auto begins = reinterpret_cast<std::uintptr_t>(a.cell);
        if (b == nullptr || begins + a.bytes > reinterpret_cast<std::uintptr_t>(memory_.address_of(*b)) + b->bytes) {
            violate("access out of an object", "what is used at " + place_of(at) + " is in no object");
        }
    }
    return memory_.location_inside(a.cell, a.waiters);
}

std::uint32_t engine::location_outside(const access& a, const place& at) {
    const std::uint32_t known = memory_.locations();
    const std::uint32_t location = memory_.location_at(a.cell, a.waiters);
    // What waits there has no constructor.
    if (location == known && !a.waiters && constructed_outside(a.cell) == nullptr) {
        give_up(
            verdict::engine_error, "object from outside",
            "the program uses an object at " + place_of(at) + " that was constructed neither in this run nor before");
    }
    return location;
}

void engine::construct(const access& a, const place& at) {
    const std::uint32_t location = memory_.location_at(a.cell);
    const event_id last = last_done();
    const bool used = last != no_event && !g().for_last_accesses(location, [&](event_id use) {
        while (use != no_event && use != last && !g().in_prefix(use, last)) {
            use = g().at(use).previous_access;
        }
        return use == no_event;
    });
    if (used) {
        give_up(verdict::engine_error, "object from outside",
                "an object that is not of this run is constructed again at " + place_of(at) + " after the run used it");
    }
    construct_outside(a, at);
}

std::uint64_t engine::perform(const access& a, const place& at, bool* succeeded) {
    const bool outside = !memory_.contains(a.cell);
    if (outside && a.constructs) {
        construct(a, at);
        return 0;
    }
    request asked;
    asked.location = outside ? location_outside(a, at) : location_of(a, at);
    asked.is_of_waiters = a.waiters;
    asked.has_initial = a.waiters || outside;
    if (outside && !a.waiters) {
        asked.initial = value_outside(a.cell, a.bytes);
    }
    asked.after_enlisting = a.after_enlisting;
    asked.success = a.non_atomic ? order::non_atomic : order_of(a.success);
    asked.operand = a.operand;
    switch (a.what) {
        case operation::load: break;
        case operation::store: asked.kind = event_kind::write; break;
        case operation::compare_exchange:
            asked.failure = order_of(a.failure);
            asked.is_compare_exchange = true;
            asked.is_weak = a.weak;
            asked.desired = a.desired;
            break;
        case operation::await:
            asked.awaited.holds = a.holds;
            asked.is_timed = a.timed;
            std::memcpy(asked.awaited.captured, a.captured, a.captured_bytes);
            [[fallthrough]];
        case operation::update: asked.update = a.apply; break;
    }
    const event_id e = do_operation(asked, at);
    if (succeeded != nullptr) {
        *succeeded = g().at(e).is_update;
    }
    return g().at(e).value;
}

void engine::fence(order o, const place& at) {
    request asked;
    asked.kind = event_kind::fence;
    asked.success = o;
    (void)do_operation(asked, at);
}

void engine::know_thread(unsigned t) {
    if (names_.size() <= t) {
        names_.resize(t + 1U);
    }
    if (t != 0) {
        names_[t] = names_[thread_names_.parent_of(t)];
        names_[t].push_back(thread_names_.index_of(t));
    }
    by_name_.push_back(t);
    std::sort(by_name_.begin(), by_name_.end(), [this](unsigned x, unsigned y) { return names_[x] < names_[y]; });
    list_states();
}

unsigned engine::child_of(unsigned parent, unsigned index) {
    std::vector<unsigned>& children = children_[parent];
    if (index == children.size()) {
        const unsigned t = thread_names_.number_of(parent, index);
        if (t == thread_names::none) {
            return t;
        }
        children.push_back(t);
        know_thread(t);
    }
    return children[index];
}

unsigned engine::spawn(void (*function)(void* body), void* body, const place& at) {
    const unsigned t = child_of(self_, fibers_[self_].spawned++);
    if (t == thread_names::none) {
        give_up(verdict::engine_error, "too many threads", "a program may have 64 threads");
    }
    request asked;
    asked.kind = event_kind::spawn;
    asked.operand = t;
    (void)do_operation(asked, at);
    fibers_[t].run = function;
    fibers_[t].body = body;
    start_fiber(t);
    return t;
}

void engine::join(unsigned thread, const place& at) {
    request asked;
    asked.kind = event_kind::join;
    asked.operand = thread;
    (void)do_operation(asked, at);
}

void engine::check(bool condition, const char* message, const place& at) {
    if (condition) {
        return;
    }
    found("assertion", std::string(message) + " (" + at.file_name() + ":" + std::to_string(at.line()) + ")");
    fail_thread();
}

void engine::record(const std::int64_t* values, std::size_t count) {
    outcome_.assign(values, values + count);
    has_outcome_ = true;
}

void engine::refuse(const char* sentence) {
    give_up(verdict::engine_error, "unsupported program", sentence);
}

void engine::violate(const char* kind, std::string message) {
    found(kind, std::move(message));
    fail_thread();
}

void engine::assume(bool condition) {
    if (!condition) {
        fail_thread();
    }
}

unsigned engine::choose(unsigned alternatives, const place& at) {
    if (alternatives == 0) {
        refuse("a choice has no alternatives");
    }
    request asked;
    asked.kind = event_kind::choice;
    asked.operand = alternatives;
    const event_id e = do_operation(asked, at);
    return static_cast<unsigned>(g().at(e).value);
}

void engine::free_memory(void* memory, std::size_t bytes, const place& at) {
    request asked;
    asked.kind = event_kind::free;
    asked.operand = reinterpret_cast<std::uintptr_t>(memory);
    asked.desired = bytes;
    (void)do_operation(asked, at);
}

void engine::release(void* memory) {
    address_space::block* b = nullptr;
    if (memory_.is_heap(memory)) {
        b = memory_.block_at(memory);
    }
    if (b == nullptr || memory_.address_of(*b) != memory) {
        violate("invalid free", "memory is deleted that is not what new returned");
    }
    free_memory(memory, b->bytes, {});
    memory_.release(*memory_.block_at(memory));
}

void* engine::allocate(std::size_t bytes, std::size_t alignment) {
    unsigned& failed = fibers_[self_].failed_allocations;
    if (failed != how_.failing_allocations && choose(2, {}) != 0) {
        ++failed;
        return nullptr;
    }
    void* const memory = memory_.allocate(self_, bytes, alignment, false);
    if (memory == nullptr) {
        refuse("the heap of a thread is used up");
    }
    return memory;
}

void* engine::allocate_internal(std::size_t bytes, std::size_t alignment) {
    void* const memory = memory_.allocate(self_, bytes, alignment, true);
    if (memory == nullptr) {
        refuse("the heap of a thread is used up");
    }
    return memory;
}

void*& engine::thread_value(const void* key) {
    return fibers_[self_].values[key];
}

void engine::forget_thread_values(const void* key) {
    for (fiber& f : fibers_) {
        f.values.erase(key);
    }
}

void engine::at_thread_exit(void (*function)(void*), void* argument) {
    fibers_[self_].exits.emplace_back(function, argument);
}

bool engine::returns_spuriously(const place& at) {
    unsigned& returns = fibers_[self_].spurious_returns;
    if (returns == how_.spurious_returns || choose(2, at) == 0) {
        return false;
    }
    ++returns;
    return true;
}

void engine::name(const void* cell, const char* text) {
    const std::uint32_t location = memory_.location_at(cell);
    if (location_names_.size() <= location) {
        location_names_.resize(location + 1U, nullptr);
    }
    location_names_[location] = text;
}

std::uint64_t engine::newest(const void* cell, std::size_t bytes, const place& at) {
    count_hint(at);
    const event_id w = g().newest(memory_.location_at(cell));
    if (w > 0) {
        return g().at(w).value;
    }
    return memory_.contains(cell) ? 0 : value_outside(cell, bytes);
}

// What the header calls.

namespace {

// While it lives, the engine runs and not the program.
class inside {
public:
    inside() {
        if (engine::current == nullptr) {
            throw std::logic_error("quiesce::explorer is used outside an exploration");
        }
        engine::runs_program = false;
    }
    inside(const inside&) = delete;
    inside& operator=(const inside&) = delete;
    ~inside() { engine::runs_program = true; }

    engine* operator->() const { return engine::current; }
};

}  // namespace

std::uint64_t perform(const access& a, const place& at, bool* succeeded) {
    if (engine::current == nullptr) {
        return perform_outside(a, at, succeeded);
    }
    return inside()->perform(a, at, succeeded);
}
void fence(std::memory_order o, fence_kind kind, const place& at) {
    if (engine::current == nullptr) {
        return;
    }
    inside()->fence(kind == fence_kind::light   ? order::light
                    : kind == fence_kind::heavy ? order::heavy
                                                : order_of(o),
                    at);
}
unsigned spawn(void (*run)(void* body), void* body, const place& at) {
    return inside()->spawn(run, body, at);
}
void join(unsigned thread, const place& at) {
    inside()->join(thread, at);
}
void check(bool condition, const char* message, const place& at) {
    inside()->check(condition, message, at);
}
void violate(const char* kind, const char* message) {
    inside()->violate(kind, message);
}
void require(bool condition, const char* rule, const place& at) {
    if (condition) {
        return;
    }
    const std::string message = std::string(rule) + " (" + at.file_name() + ":" + std::to_string(at.line()) + ")";
    if (engine::current == nullptr) {
        throw std::logic_error(message);
    }
    inside()->violate("misuse", message);
}
void refuse(const char* sentence) {
    inside()->refuse(sentence);
}
void assume(bool condition) {
    inside()->assume(condition);
}
unsigned choose(unsigned alternatives, const place& at) {
    return inside()->choose(alternatives, at);
}
void record(const std::int64_t* values, std::size_t count) {
    inside()->record(values, count);
}
void free_memory(void* memory, std::size_t bytes, const place& at) {
    inside()->free_memory(memory, bytes, at);
}
void* allocate(std::size_t bytes, std::size_t alignment) {
    return inside()->allocate_internal(bytes, alignment);
}
void*& thread_value(const void* key) {
    return inside()->thread_value(key);
}
void forget_thread_values(const void* key) {
    if (engine::current != nullptr) {
        inside()->forget_thread_values(key);
    }
}
void at_thread_exit(void (*function)(void*), void* argument) {
    inside()->at_thread_exit(function, argument);
}
void yield(const place& at) {
    if (engine::current == nullptr) {
        return;
    }
    inside()->yield(at);
}
bool returns_spuriously(const place& at) {
    return engine::current != nullptr && inside()->returns_spuriously(at);
}
unsigned self() {
    return engine::current == nullptr ? 0 : inside()->self();
}
bool is_in_a_run() {
    return engine::current != nullptr;
}
std::uint64_t holder() {
    return engine::current == nullptr ? 0 : inside()->holder();
}
void name(const void* cell, const char* text) {
    inside()->name(cell, text);
}
std::uint64_t newest(const void* cell, std::size_t bytes, const place& at) {
    if (engine::current == nullptr) {
        return value_outside(cell, bytes);
    }
    return inside()->newest(cell, bytes, at);
}

}  // namespace quiesce::explorer::detail
