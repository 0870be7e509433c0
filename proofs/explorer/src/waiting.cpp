// Waiting until another thread notifies: a word for each cell, with a bit for each thread that is enlisted.
#include <bit>
#include <cstdint>

#include <quiesce/explorer/operations.hpp>

namespace quiesce::explorer::detail {

namespace {

// While notify_one picks: with more than one thread enlisted it takes two steps, and nobody comes in between.
constexpr std::uint64_t picking = std::uint64_t{1} << 63U;

using update = std::uint64_t (*)(std::uint64_t old, std::uint64_t operand);

std::memory_order order_of(bool announces) {
    return announces ? order_announcing : order_silent;
}

access on_waiters(const void* cell, operation what, std::uint64_t operand, std::memory_order order, update apply) {
    return {.what = what, .cell = cell, .operand = operand, .success = order, .waiters = true, .apply = apply};
}

std::uint64_t when_not_picking(const void* cell, std::uint64_t operand, std::memory_order order, update apply,
                               const place& at) {
    access a = on_waiters(cell, operation::await, operand, order, apply);
    a.holds = [](const void*, std::uint64_t word) { return (word & picking) == 0; };
    return perform(a, at);
}

std::uint64_t bit_of_this_thread() {
    const unsigned t = self();
    if (t == 63) {
        refuse("the last of 64 threads cannot wait for a notification");
    }
    return std::uint64_t{1} << t;
}

}  // namespace

void enlist(const void* cell, const place& at) {
    (void)when_not_picking(
        cell, bit_of_this_thread(), order_silent, [](std::uint64_t old, std::uint64_t bit) { return old | bit; }, at);
}

void withdraw(const void* cell, const place& at) {
    const std::uint64_t bit = bit_of_this_thread();
    const std::uint64_t old = when_not_picking(
        cell, bit, order_silent, [](std::uint64_t now, std::uint64_t mine) { return now & ~mine; }, at);
    if ((old & bit) == 0) {
        notify_one(cell, false, at);
    }
}

void sleep(const void* cell, bool timed, const place& at) {
    const std::uint64_t bit = bit_of_this_thread();
    access a = on_waiters(cell, operation::await, 0, order_silent, nullptr);
    a.timed = timed;
    a.holds = [](const void* captured, std::uint64_t word) {
        return (word & *static_cast<const std::uint64_t*>(captured)) == 0;
    };
    a.captured = &bit;
    a.captured_bytes = sizeof bit;
    (void)perform(a, at);
}

void notify_one(const void* cell, bool announces, const place& at) {
    const std::uint64_t enlisted = when_not_picking(
        cell, 0, order_of(announces),
        [](std::uint64_t old, std::uint64_t) { return std::popcount(old) > 1 ? old | picking : std::uint64_t{0}; }, at);
    if (std::popcount(enlisted) < 2) {
        return;
    }
    std::uint64_t picked = enlisted;
    for (unsigned n = choose(static_cast<unsigned>(std::popcount(enlisted)), at); n != 0; --n) {
        picked &= picked - 1;
    }
    picked &= ~(picked - 1);
    // Not a store: what earlier notifications released is not forgotten.
    (void)perform(on_waiters(cell, operation::update, picking | picked, order_of(announces),
                             [](std::uint64_t old, std::uint64_t bits) { return old & ~bits; }),
                  at);
}

void notify_all(const void* cell, bool announces, const place& at) {
    (void)when_not_picking(
        cell, 0, order_of(announces), [](std::uint64_t, std::uint64_t) { return std::uint64_t{0}; }, at);
}

}  // namespace quiesce::explorer::detail
