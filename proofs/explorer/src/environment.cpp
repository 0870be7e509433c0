#include "proofs/explorer/src/environment.hpp"

#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>

namespace quiesce::explorer::detail {

namespace {

template <class Set>
void with_variable(const char* name, const char* wanted, Set set) {
    const std::string variable = std::string("QUIESCE_EXPLORER_") + name;
    const char* const text = std::getenv(variable.c_str());
    if (text != nullptr && !set(std::string_view(text))) {
        throw bad_environment(variable + " takes " + wanted + ", not '" + text + "'");
    }
}

template <class Number>
void number(const char* name, Number& field) {
    with_variable(name, "a number that is not negative", [&field](std::string_view text) {
        Number n{};
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
        // Not a number is not at least 0.
        const bool good = error == std::errc{} && end == text.data() + text.size() && n >= 0;
        field = good ? n : field;
        return good;
    });
}

void boolean(const char* name, bool& field) {
    with_variable(name, "0 or 1", [&field](std::string_view text) {
        field = text == "1";
        return text == "0" || text == "1";
    });
}

void word(const char* name, std::string& field) {
    with_variable(name, "a text", [&field](std::string_view text) {
        field = text;
        return true;
    });
}

template <class Enum, std::size_t Count>
void one_of(const char* name, const char* wanted, Enum& field,
            const std::pair<std::string_view, Enum> (&values)[Count]) {
    with_variable(name, wanted, [&](std::string_view text) {
        for (const auto& [known, value] : values) {
            if (text == known) {
                field = value;
                return true;
            }
        }
        return false;
    });
}

}  // namespace

void set_from_environment(options& how) {
    one_of("MODEL", "rc11, cpp20 or sc", how.model,
           {{"rc11", memory_model::rc11}, {"cpp20", memory_model::cpp20}, {"sc", memory_model::sc}});
    one_of("SEARCH", "exhaustive, deepening, preemption_bound, pct or random_walk", how.search,
           {{"exhaustive", search::exhaustive},
            {"deepening", search::deepening},
            {"preemption_bound", search::preemption_bound},
            {"pct", search::pct},
            {"random_walk", search::random_walk}});
    number("BOUND", how.bound);
    number("SEED", how.seed);
    boolean("KEEP_GOING", how.keep_going);
    number("MAX_EXECUTIONS", how.max_executions);
    number("MAX_SECONDS", how.max_seconds);
    number("MAX_OPERATIONS", how.max_operations);
    number("MAX_IDLE_SECONDS", how.max_idle_seconds);
    number("SPURIOUS_RETURNS", how.spurious_returns);
    number("SPURIOUS_FAILURES", how.spurious_failures);
    number("FAILING_ALLOCATIONS", how.failing_allocations);
    boolean("FIND_LEAKS", how.find_leaks);
    boolean("GUARD_FREED", how.guard_freed);
    number("JOBS", how.jobs);
    word("CHECKPOINT", how.checkpoint);
    number("CHECKPOINT_SECONDS", how.checkpoint_seconds);
    word("REPLAY", how.replay);
}

}  // namespace quiesce::explorer::detail
