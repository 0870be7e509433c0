// Binary relations on the events of one execution.
#pragma once

#include <array>
#include <cstdint>

namespace quiesce::explorer::tests {

inline constexpr unsigned most_events = 32;

class relation {
    using event_set = std::uint32_t;

public:
    explicit relation(unsigned events) : events_(events) {}

    bool has(unsigned a, unsigned b) const { return (rows_[a] >> b & 1U) != 0; }
    void add(unsigned a, unsigned b) { rows_[a] |= event_set{1} << b; }

    relation operator|(const relation& other) const {
        relation both(events_);
        for (unsigned a = 0; a != events_; ++a) {
            both.rows_[a] = rows_[a] | other.rows_[a];
        }
        return both;
    }
    /// A step of this one, then a step of the other.
    relation operator*(const relation& other) const {
        relation steps(events_);
        for (unsigned a = 0; a != events_; ++a) {
            for (unsigned b = 0; b != events_; ++b) {
                if (has(a, b)) {
                    steps.rows_[a] |= other.rows_[b];
                }
            }
        }
        return steps;
    }
    relation inverse() const {
        return where([this](unsigned a, unsigned b) { return has(b, a); });
    }
    relation closure() const {
        relation reached = *this;
        for (unsigned via = 0; via != events_; ++via) {
            for (unsigned a = 0; a != events_; ++a) {
                if (reached.has(a, via)) {
                    reached.rows_[a] |= reached.rows_[via];
                }
            }
        }
        return reached;
    }
    template <class Condition>
    relation only(Condition condition) const {
        return where([&](unsigned a, unsigned b) { return has(a, b) && condition(a, b); });
    }
    template <class Condition>
    relation where(Condition condition) const {
        relation found(events_);
        for (unsigned a = 0; a != events_; ++a) {
            for (unsigned b = 0; b != events_; ++b) {
                if (condition(a, b)) {
                    found.add(a, b);
                }
            }
        }
        return found;
    }
    bool irreflexive() const {
        for (unsigned a = 0; a != events_; ++a) {
            if (has(a, a)) {
                return false;
            }
        }
        return true;
    }
    bool acyclic() const { return closure().irreflexive(); }

private:
    unsigned events_;
    std::array<event_set, most_events> rows_{};
};

}  // namespace quiesce::explorer::tests
