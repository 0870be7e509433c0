#include "proofs/explorer/src/checkpoint.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace quiesce::explorer::detail {

namespace {

constexpr std::string_view heading = "quiesce explorer checkpoint 2\n";

std::uint64_t checksum(std::string_view text) {
    std::uint64_t h = 0xcbf29ce484222325;
    for (const char c : text) {
        h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    }
    return h;
}

// Those that decide what is explored.
std::string explored_by(const options& how) {
    text_writer to;
    to << static_cast<unsigned>(how.model) << (how.keep_going ? 1 : 0) << how.max_operations << how.spurious_returns
       << how.failing_allocations << (how.find_leaks ? 1 : 0) << (how.guard_freed ? 1 : 0) << how.spurious_failures;
    return to.take();
}

[[noreturn]] void fails(const options& how, const std::string& what) {
    throw checkpoint_error("the checkpoint " + how.checkpoint + " " + what + ": " + std::strerror(errno));
}

}  // namespace

std::optional<saved_plan> load_checkpoint(const options& how) {
    std::ifstream file(how.checkpoint, std::ios::binary);
    if (!file) {
        if (errno != ENOENT) {
            fails(how, "cannot be read");
        }
        return std::nullopt;
    }
    const std::string text = (std::ostringstream() << file.rdbuf()).str();
    try {
        if (!text.starts_with(heading)) {
            throw damaged_text();
        }
        text_reader from(std::string_view(text).substr(heading.size()));
        std::string payload;
        std::uint64_t sum = 0;
        from >> payload >> sum;
        if (sum != checksum(payload) || !from.at_end()) {
            throw damaged_text();
        }
        text_reader parts(payload);
        std::string with;
        std::uint64_t milliseconds = 0;
        std::uint64_t count = 0;
        parts >> with >> milliseconds >> count;
        if (with != explored_by(how)) {
            throw checkpoint_error("the checkpoint " + how.checkpoint + " was written with other options");
        }
        saved_plan saved;
        saved.seconds = static_cast<double>(milliseconds) / 1000;
        for (; count != 0; --count) {
            part& p = saved.plan.emplace_back();
            if (parts.below<unsigned>(2) != 0) {
                p.state = part::status::done;
                p.report = read_report(parts);
            } else {
                parts >> p.subtree;
            }
        }
        return saved;
    } catch (const damaged_text&) {
        throw checkpoint_error("the checkpoint " + how.checkpoint + " is damaged");
    }
}

void save_checkpoint(const options& how, const saved_plan& saved) {
    text_writer parts;
    parts << explored_by(how) << static_cast<std::uint64_t>(saved.seconds * 1000) << saved.plan.size();
    for (const part& p : saved.plan) {
        const bool done = p.state == part::status::done;
        parts << (done ? 1 : 0);
        if (done) {
            write_report(parts, p.report);
        } else {
            parts << p.subtree;
        }
    }
    const std::string payload = parts.take();
    text_writer text;
    text << payload << checksum(payload);
    const std::string all = std::string(heading) + text.take();
    // Whoever is killed while he writes leaves the old one.
    const std::string fresh = how.checkpoint + ".new";
    std::FILE* const file = std::fopen(fresh.c_str(), "wb");
    if (file == nullptr) {
        fails(how, "cannot be written");
    }
    const bool written = std::fwrite(all.data(), 1, all.size(), file) == all.size() && std::fflush(file) == 0 &&
                         ::fsync(::fileno(file)) == 0;
    if (std::fclose(file) != 0 || !written || std::rename(fresh.c_str(), how.checkpoint.c_str()) != 0) {
        fails(how, "cannot be written");
    }
}

void remove_checkpoint(const options& how) {
    (void)std::remove(how.checkpoint.c_str());
}

}  // namespace quiesce::explorer::detail
