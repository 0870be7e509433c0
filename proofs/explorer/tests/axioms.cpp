#include "proofs/explorer/tests/axioms.hpp"

#include "proofs/explorer/tests/relation.hpp"

namespace quiesce::explorer::tests {

namespace {

using detail::fence_kind;
using litmus::opcode;

// An execution with the order of the writes of each location.
class candidate {
public:
    candidate(const std::vector<event>& events, const modification_orders& orders, memory_model model, mistake wrong)
        : events_(events), count_(static_cast<unsigned>(events.size())), model_(model), wrong_(wrong) {
        for (const std::vector<unsigned>& order : orders) {
            for (unsigned a = 0; a != order.size(); ++a) {
                for (unsigned b = a + 1; b != order.size(); ++b) {
                    mo_.add(order[a], order[b]);
                }
            }
        }
        for (unsigned r = 0; r != count_; ++r) {
            if (events_[r].reads) {
                rf_.add(events_[r].source, r);
            }
        }
        fr_ = (rf_.inverse() * mo_).only([](unsigned a, unsigned b) { return a != b; });
        if (wrong_ != mistake::no_atomicity && !atomic()) {
            return;
        }
        po_ = po_.where([this](unsigned a, unsigned b) {
            return a < b && events_[a].thread == events_[b].thread && events_[a].thread != event::no_thread;
        });
        starts_and_joins();
        synchronise();
        hb_ = (po_ | threads_ | sw_).closure();
        consistent_ = model_ == memory_model::sc
                          ? interleaved()
                          : (wrong_ == mistake::no_coherence || coherent()) &&
                                (wrong_ == mistake::no_seq_cst ||
                                 (model_ == memory_model::cpp20 ? has_total_order() : psc_acyclic()));
    }

    bool consistent() const { return consistent_; }

    bool racy() const {
        for (unsigned a = 0; a != count_; ++a) {
            for (unsigned b = 0; b != a; ++b) {
                const event& x = events_[a];
                const event& y = events_[b];
                if (same_location(a, b) && x.thread != y.thread && (x.writes || y.writes) &&
                    (x.non_atomic || y.non_atomic) && !hb_.has(a, b) && !hb_.has(b, a)) {
                    return true;
                }
            }
        }
        return false;
    }

private:
    bool same_location(unsigned a, unsigned b) const {
        return events_[a].is_access() && events_[b].is_access() && events_[a].location == events_[b].location;
    }
    bool updates(unsigned a) const { return events_[a].reads && events_[a].writes; }

    bool atomic() const {
        for (unsigned u = 0; u != count_; ++u) {
            if (updates(u)) {
                const unsigned source = events_[u].source;
                if (!mo_.has(source, u)) {
                    return false;
                }
                for (unsigned w = 0; w != count_; ++w) {
                    if (mo_.has(source, w) && mo_.has(w, u)) {
                        return false;
                    }
                }
            }
        }
        return true;
    }

    // The initial writes come before every thread.
    void starts_and_joins() {
        for (unsigned a = 0; a != count_; ++a) {
            for (unsigned b = 0; b != count_; ++b) {
                const event& x = events_[a];
                const event& y = events_[b];
                const bool starts = x.other == opcode::spawn && x.other_thread == y.thread;
                const bool joins = y.other == opcode::join && y.other_thread == x.thread;
                const bool both =
                    x.other == opcode::spawn && y.other == opcode::join && x.other_thread == y.other_thread;
                const bool initial = x.thread == event::no_thread && y.thread != event::no_thread;
                if (starts || joins || both || initial) {
                    threads_.add(a, b);
                }
            }
        }
    }

    enum class strength : std::uint8_t { none, light, full, heavy };

    static bool is_release(std::memory_order o) {
        return o == std::memory_order_release || o == std::memory_order_acq_rel || o == std::memory_order_seq_cst;
    }
    static bool is_acquire(std::memory_order o) {
        return o == std::memory_order_acquire || o == std::memory_order_acq_rel || o == std::memory_order_seq_cst;
    }

    // How `a` takes part on the side of a write, or of a read, that is `access`.
    template <class IsStrong>
    strength side(unsigned a, unsigned access, bool before, IsStrong is_strong) const {
        const event& e = events_[a];
        if (a == access) {
            return model_ == memory_model::sc || is_strong(e.order) ? strength::full : strength::none;
        }
        if (!e.is_fence() || wrong_ == mistake::no_fence_synchronisation || model_ == memory_model::sc ||
            !(before ? po_.has(a, access) : po_.has(access, a))) {
            return strength::none;
        }
        switch (e.fence) {
            case fence_kind::light: return wrong_ == mistake::light_fence_is_seq_cst ? strength::full : strength::light;
            case fence_kind::heavy: return strength::heavy;
            case fence_kind::standard: break;
        }
        return is_strong(e.order) ? strength::full : strength::none;
    }

    bool makes_order(unsigned access) const {
        return !events_[access].non_atomic || wrong_ == mistake::non_atomics_synchronise;
    }

    // From a write to those of its release sequence, itself among them.
    relation release_sequences() const {
        relation sequence(count_);
        relation links(count_);
        for (unsigned w = 0; w != count_; ++w) {
            if (!events_[w].writes || events_[w].thread == event::no_thread || !makes_order(w)) {
                continue;
            }
            sequence.add(w, w);
            for (unsigned u = 0; u != count_; ++u) {
                if (updates(u) && events_[u].source == w && wrong_ != mistake::no_release_sequences) {
                    links.add(w, u);
                }
            }
        }
        sequence = sequence | sequence * links.closure();
        if (wrong_ == mistake::old_release_sequences) {
            const auto belongs = [this](unsigned head, unsigned w) {
                return updates(w) || events_[w].thread == events_[head].thread;
            };
            sequence = sequence | mo_.only([&](unsigned head, unsigned last) {
                if (!sequence.has(head, head) || !belongs(head, last)) {
                    return false;
                }
                for (unsigned w = 0; w != count_; ++w) {
                    if (mo_.has(head, w) && mo_.has(w, last) && !belongs(head, w)) {
                        return false;
                    }
                }
                return true;
            });
        }
        return sequence;
    }

    void synchronise() {
        const relation read_from = release_sequences() * rf_;
        for (unsigned w = 0; w != count_; ++w) {
            for (unsigned r = 0; r != count_; ++r) {
                if (!read_from.has(w, r) || !makes_order(r)) {
                    continue;
                }
                for (unsigned a = 0; a != count_; ++a) {
                    const strength release = side(a, w, true, is_release);
                    for (unsigned b = 0; b != count_ && release != strength::none; ++b) {
                        const strength acquire = side(b, r, false, is_acquire);
                        if (acquire != strength::none && (release != strength::light || acquire == strength::heavy) &&
                            (acquire != strength::light || release == strength::heavy)) {
                            sw_.add(a, b);
                        }
                    }
                }
            }
        }
    }

    // A read-modify-write's own write comes after its read, so reading a write that is mo-after it is against the
    // same rule as in two events.
    bool coherent() const {
        const relation later = mo_ | fr_;
        const relation between = rf_ | later | later * rf_;
        return hb_.irreflexive() && (hb_ * between).irreflexive() && (mo_ * rf_).irreflexive();
    }

    bool interleaved() const {
        const relation order = po_ | threads_ | rf_ | mo_;
        return (wrong_ == mistake::old_reads_in_sc ? order : order | fr_).acyclic();
    }

    bool light(unsigned a) const {
        return events_[a].is_fence() && events_[a].fence == fence_kind::light &&
               wrong_ != mistake::light_fence_is_seq_cst;
    }
    bool heavy(unsigned a) const { return events_[a].is_fence() && events_[a].fence == fence_kind::heavy; }
    bool seq_cst(unsigned a) const {
        const event& e = events_[a];
        if (e.is_fence() && e.fence != fence_kind::standard) {
            return !light(a);
        }
        return (e.is_access() || e.is_fence()) && !e.non_atomic && e.order == std::memory_order_seq_cst;
    }
    bool seq_cst_fence(unsigned a) const { return events_[a].is_fence() && seq_cst(a); }

    // From a seq_cst event to itself, and from a fence to what happens after it.
    relation out() const {
        return hb_.where(
            [this](unsigned a, unsigned b) { return seq_cst(a) && (a == b || (seq_cst_fence(a) && hb_.has(a, b))); });
    }
    relation in() const {
        return hb_.where(
            [this](unsigned a, unsigned b) { return seq_cst(b) && (a == b || (seq_cst_fence(b) && hb_.has(a, b))); });
    }

    bool psc_acyclic() const {
        const relation elsewhere = po_.where([this](unsigned a, unsigned b) {
            return (po_.has(a, b) && !same_location(a, b)) ||
                   (wrong_ == mistake::two_locations && a == b && updates(a));
        });
        const relation scb = po_ | elsewhere * hb_ * elsewhere |
                             hb_.only([this](unsigned a, unsigned b) { return same_location(a, b); }) | mo_ | fr_;
        const relation eco = (rf_ | mo_ | fr_).closure();
        const relation fences = hb_ | hb_ * eco * hb_;
        const relation psc_base = out() * scb * in();
        const relation psc_fences =
            fences.only([this](unsigned a, unsigned b) { return seq_cst_fence(a) && seq_cst_fence(b); });
        const relation asymmetric =
            fences.only([this](unsigned a, unsigned b) { return (light(a) && heavy(b)) || (heavy(a) && light(b)); });
        const relation without_fences = psc_base | asymmetric;
        if (wrong_ == mistake::no_fence_order) {
            return without_fences.acyclic();
        }
        return (without_fences | psc_fences).acyclic();
    }

    // A total order respects a relation if that has no cycle.
    bool has_total_order() const {
        const relation coherence_ordered = (wrong_ == mistake::reads_from_not_in_s ? mo_ | fr_ : rf_ | mo_ | fr_)
                                               .closure()
                                               .only([](unsigned a, unsigned b) { return a != b; });
        const auto both_seq_cst = [this](unsigned a, unsigned b) { return seq_cst(a) && seq_cst(b); };
        const relation sequenced = po_ | threads_;
        const relation strongly =
            (sequenced | sw_.only(both_seq_cst) | sequenced.closure() * hb_ * sequenced.closure()).closure();
        const relation& before = wrong_ == mistake::happens_before_in_s ? hb_ : strongly;
        return (before.only(both_seq_cst) | out() * coherence_ordered * in()).acyclic();
    }

    const std::vector<event>& events_;
    unsigned count_;
    memory_model model_;
    mistake wrong_;
    relation po_{count_};
    relation rf_{count_};
    relation mo_{count_};
    relation fr_{count_};
    relation threads_{count_};
    relation sw_{count_};
    relation hb_{count_};
    bool consistent_ = false;
};

}  // namespace

judgement judge(const std::vector<event>& events, const modification_orders& orders, memory_model model,
                mistake wrong) {
    const candidate c(events, orders, model, wrong);
    return {c.consistent(), c.consistent() && c.racy()};
}

}  // namespace quiesce::explorer::tests
