#include "proofs/explorer/src/outside.hpp"

#include <cstring>
#include <mutex>
#include <stdexcept>
#include <unordered_map>

namespace quiesce::explorer::detail {

namespace {

// Neither is ever destroyed: other variables of static storage may be used later.
std::mutex& guards_places() {
    static auto& m = *new std::mutex;
    return m;
}
std::unordered_map<const void*, place>& places() {
    static auto& all = *new std::unordered_map<const void*, place>;
    return all;
}

void set_value(const void* cell, std::uint64_t value, std::size_t bytes) {
    // An access has no other way to say that it writes.
    std::memcpy(const_cast<void*>(cell), &value, bytes);
}

}  // namespace

std::uint64_t value_outside(const void* cell, std::size_t bytes) {
    std::uint64_t value = 0;
    std::memcpy(&value, cell, bytes);
    return value;
}

void construct_outside(const access& a, const place& at) {
    set_value(a.cell, a.operand, a.bytes);
    const std::lock_guard hold(guards_places());
    places().insert_or_assign(a.cell, at);
}

const place* constructed_outside(const void* cell) {
    const std::lock_guard hold(guards_places());
    const auto found = places().find(cell);
    return found == places().end() ? nullptr : &found->second;
}

std::uint64_t perform_outside(const access& a, const place& at, bool* succeeded) {
    if (a.constructs) {
        construct_outside(a, at);
        return a.operand;
    }
    // Nobody else is there who waits or could be waited for.
    const std::uint64_t old = a.waiters ? 0 : value_outside(a.cell, a.bytes);
    const bool waits = a.what == operation::await && !a.holds(a.captured, old);
    if (waits || (a.waiters && a.what == operation::await && a.apply == nullptr)) {
        throw std::logic_error("quiesce::explorer: a thread waits outside an exploration");
    }
    if (succeeded != nullptr) {
        *succeeded = old == a.operand;
    }
    if (a.waiters) {
        return old;
    }
    switch (a.what) {
        case operation::load: break;
        case operation::store: set_value(a.cell, a.operand, a.bytes); break;
        case operation::compare_exchange:
            if (old == a.operand) {
                set_value(a.cell, a.desired, a.bytes);
            }
            break;
        case operation::await:
        case operation::update:
            if (a.apply != nullptr) {
                set_value(a.cell, a.apply(old, a.operand), a.bytes);
            }
            break;
    }
    return old;
}

}  // namespace quiesce::explorer::detail
