// What is done of a search and what is to do: parts, in the order in which one process would come to them.
#pragma once

#include <cstdint>
#include <list>
#include <string>

#include <quiesce/explorer/explore.hpp>
#include "proofs/explorer/src/text.hpp"

namespace quiesce::explorer::detail {

struct part {
    enum class status : std::uint8_t { to_do, under_way, done };

    status state = status::to_do;
    /// What is to be explored; empty for everything.
    std::string subtree;
    /// What was found, when it is done.
    explorer::report report = {};
};

using plan = std::list<part>;

/// Adds what was found later in the order. The first violation counts, and one counts more than a bound.
void add(report& to, report&& from);

/// Whether the search ends with this, whatever comes later.
bool is_final(const report& r, bool keep_going);

void write_report(text_writer& to, const report& r);
report read_report(text_reader& from);

}  // namespace quiesce::explorer::detail
