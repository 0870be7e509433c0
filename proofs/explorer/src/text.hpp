// Numbers and strings as text, for what goes to another process or to a file.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace quiesce::explorer::detail {

/// The text is not what a `text_writer` wrote.
struct damaged_text : std::runtime_error {
    damaged_text() : std::runtime_error("the text is damaged") {}
};

class text_writer {
public:
    template <std::integral Number>
    text_writer& operator<<(Number n) {
        text_ += std::to_string(n);
        text_ += ' ';
        return *this;
    }
    text_writer& operator<<(std::string_view s) {
        *this << s.size();
        text_ += s;
        text_ += ' ';
        return *this;
    }
    std::string take() { return std::move(text_); }

private:
    std::string text_;
};

class text_reader {
public:
    explicit text_reader(std::string_view text) : rest_(text) {}

    template <std::integral Number>
    text_reader& operator>>(Number& n) {
        const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), n);
        if (error != std::errc{}) {
            throw damaged_text();
        }
        rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
        skip_blank();
        return *this;
    }
    text_reader& operator>>(std::string& s) {
        std::size_t size = 0;
        *this >> size;
        if (size > rest_.size()) {
            throw damaged_text();
        }
        s = rest_.substr(0, size);
        rest_.remove_prefix(size);
        skip_blank();
        return *this;
    }
    /// A number below a bound.
    template <std::integral Number>
    Number below(Number bound) {
        Number n{};
        *this >> n;
        if (n < 0 || n >= bound) {
            throw damaged_text();
        }
        return n;
    }
    bool at_end() const { return rest_.empty(); }

private:
    void skip_blank() {
        if (rest_.empty() || rest_.front() != ' ') {
            throw damaged_text();
        }
        rest_.remove_prefix(1);
    }

    std::string_view rest_;
};

}  // namespace quiesce::explorer::detail
