// What a run came to, before anybody formats it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/measurement.hpp"
#include "bench/statistics.hpp"

namespace quiesce::bench {

struct row {
    measurement what;
    std::vector<double> values;
    std::vector<double> processor;
    /// Of the last sample.
    std::string note;
    /// Why a sample is missing; empty when none is.
    std::string failure;

    std::optional<double> median() const;
    bool over_limit() const;
};

struct table {
    group about;
    std::vector<row> rows;

    std::optional<double> reference() const;
    /// The least median of the rivals: in every table less is better.
    std::optional<double> best_rival() const;
};

/// A library that comparisons with are left out of this build, and the package that would bring it.
struct absent_library {
    std::string name;
    std::string package;
};
std::vector<absent_library> absent_libraries();

}  // namespace quiesce::bench
