#include "tools/quiesce/text.hpp"

namespace quiesce::frontend {

std::string printable(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        const auto code = static_cast<unsigned char>(c);
        if (code < 0x20 || code == 0x7f) {
            c = '?';
        }
    }
    return result;
}

std::string excerpt(std::string_view text) {
    constexpr std::size_t longest = 60;
    // Bytes outside ASCII may not be UTF-8, and the reports must be.
    std::string result = printable(text.substr(0, longest));
    for (char& c : result) {
        if (static_cast<unsigned char>(c) >= 0x80) {
            c = '?';
        }
    }
    return text.size() > longest ? result + "..." : result;
}

std::string file_name_part(std::string_view text) {
    std::string result = printable(text);
    for (char& c : result) {
        if (c == '/' || c == ' ') {
            c = '_';
        }
    }
    if (result.starts_with('.')) {
        result.front() = '_';
    }
    return result;
}

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
    std::string result;
    for (const std::string& word : words) {
        if (!result.empty()) {
            result += separator;
        }
        result += word;
    }
    return result;
}

}  // namespace quiesce::frontend
