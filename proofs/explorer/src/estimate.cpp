// How large the tree of the search is, from random descents: at each event one of its alternatives is taken, each with
// the same chance, and what is found at the end counts as often as there were ways to go elsewhere.
#include <algorithm>

#include "proofs/explorer/src/engine.hpp"

namespace quiesce::explorer::detail {

double engine::probe(std::mt19937_64& random) {
    frames_.clear();
    candidates_.clear();
    reads_to_revisit_.clear();
    depth_ = 0;
    double weight = 1;
    bool through = false;
    silent_ = probing_ = true;
    (void)explore({}, [&] {
        // Each event that has alternatives ends the run, until the descent has chosen for all of them.
        while (weight != 0 && !frames_.empty()) {
            weight *= pick_alternatives(random);
            frames_.clear();
            candidates_.clear();
            reads_to_revisit_.clear();
            if (weight != 0) {
                execute();
            }
        }
        through = !dead_;
        return false;
    });
    silent_ = probing_ = false;
    stop_ = false;
    return through ? weight : 0;
}

double engine::pick_alternatives(std::mt19937_64& random) {
    double weight = 1;
    for (std::size_t i = 0; weight != 0 && i != frames_.size(); ++i) {
        std::vector<event_id> revisits;
        if (frames_[i].revisits) {
            list_revisits(i);
            revisits.assign(reads_to_revisit_.begin() + frames_[i].first_revisit, reads_to_revisit_.end());
        }
        // Those that end at once are no ways to go.
        std::vector<std::size_t> open;
        const frame of = frames_[i];
        const std::size_t n = of.kind == frame_kind::read     ? of.end - of.first_candidate
                              : of.kind == frame_kind::choice ? of.end
                                                              : of.places * (of.then_spuriously ? std::size_t{2} : 1);
        for (std::size_t k = 0; k != n + revisits.size(); ++k) {
            if (take_alternative(i, of, k, revisits)) {
                open.push_back(k);
            }
        }
        weight *= static_cast<double>(open.size());
        if (!open.empty()) {
            (void)take_alternative(i, of, open[random() % open.size()], revisits);
        }
    }
    return weight;
}

// As if it were the first; frames above are those that come of it. Returns whether it may lead to an execution.
bool engine::take_alternative(std::size_t frame_index, const frame& of, std::size_t which,
                              const std::vector<event_id>& revisits) {
    while (frames_.size() > frame_index + 1) {
        pop_frame();
    }
    reads_to_revisit_.resize(of.revisits ? of.first_revisit : reads_to_revisit_.size());
    frame& f = frames_[frame_index];
    f = of;
    g().shrink(static_cast<unsigned>(f.event) + 1);
    bool runs = false;
    switch (f.kind) {
        case frame_kind::read:
            f.next = f.first_candidate + static_cast<std::uint32_t>(which);
            runs = next_read(frame_index);
            break;
        case frame_kind::choice:
            f.next = static_cast<std::uint32_t>(which);
            runs = next_choice(frame_index);
            break;
        case frame_kind::write: {
            const std::size_t places = f.places * (f.then_spuriously ? std::size_t{2} : 1);
            if (which >= places) {
                f.revisits_listed = true;
                reads_to_revisit_.push_back(revisits[which - places]);
                // It leaves a frame with the places of the revisit.
                return next_revisit(frame_index) && frames_.back().places != 0;
            }
            f.spurious = which >= f.places;
            f.then_spuriously = false;
            f.end += static_cast<std::uint32_t>(which % f.places);
            f.next = f.end + 1;
            runs = next_place(frame_index);
            break;
        }
        case frame_kind::schedule: break;
    }
    // What cannot be may have left the write half of an update above, which can still revisit.
    return runs || std::any_of(frames_.begin() + static_cast<std::ptrdiff_t>(frame_index) + 1, frames_.end(),
                               [](const frame& above) { return above.revisits; });
}

}  // namespace quiesce::explorer::detail
