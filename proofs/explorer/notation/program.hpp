// Litmus programs in the notation of proofs/README.md, read from text and run under the explorer.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <quiesce/explorer.hpp>

namespace quiesce::explorer::litmus {

/// What is wrong with a program's text, in one sentence.
struct notation_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// For such sentences: the text in quotes, and not all of it where it is long.
std::string in_quotes(std::string_view text);

/// A number, or a register and a number to add.
struct operand {
    int reg = -1;
    std::int64_t number = 0;
};

enum class opcode : std::uint8_t {
    store,             // W, NW
    load,              // R, NR
    fence,             // F
    add,               // ADD
    exchange,          // XCHG
    compare_exchange,  // CAS, WCAS
    await,             // AW
    await_exchange,    // LK
    await_add,         // AADD
    choose,            // CH
    spawn,             // SP
    join,              // JN
    assume,            // ASM
    only_if,           // IF: skips to `target` where the register has another value
};

enum class comparison : std::uint8_t { equal, not_equal, at_least };

struct instruction {
    opcode what = opcode::store;
    unsigned location = 0;
    bool non_atomic = false;
    bool weak = false;
    comparison compare = comparison::equal;
    detail::fence_kind fence = detail::fence_kind::standard;
    std::memory_order success = std::memory_order_relaxed;
    std::memory_order failure = std::memory_order_relaxed;
    operand first;
    operand second;
    /// Where the result goes, or what is compared; -1 for nowhere.
    int reg = -1;
    /// A thread, or the instruction to go on with.
    unsigned target = 0;
};

struct program {
    std::vector<std::string> locations;
    std::vector<std::string> registers;
    std::vector<std::vector<instruction>> threads;
    /// Whether some thread spawns it; the others start at once.
    std::vector<bool> spawned;
    /// How many instructions write each location.
    std::vector<unsigned> writers;
};

/// Throws notation_error.
program parse(std::string_view text);

/// Throws notation_error where the value of a register would be a matter of chance, or nothing sets it.
void check_registers(const program& p);

/// Explores the program to the end. An outcome is the registers in order of appearance, `never_set` where one was not,
/// then the final values of the locations that several instructions write.
/// Threads are started in the given order, by default in that of the text.
report explore(const program& p, options how = {}, const std::vector<unsigned>& order = {});
inline constexpr std::int64_t never_set = INT64_MIN;

/// An outcome in the notation's form, as {0,1,x=2}.
std::string describe(const program& p, const std::vector<std::int64_t>& outcome);

}  // namespace quiesce::explorer::litmus
