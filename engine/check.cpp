// Builds the sentence of a failed check.
#include "engine/check.h"

#include <array>
#include <charconv>

namespace dactyl {
namespace {

std::string filled(std::string_view text, const std::vector<std::string>& values) {
  std::string out;
  std::size_t next = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '{' && at + 1 < text.size() && text[at + 1] == '}' && next < values.size()) {
      out += values[next++];
      ++at;
    } else {
      out += text[at];
    }
  }
  return out;
}

bool speaks_to_users(Exit exit) { return exit != Exit::failure && exit != Exit::device_lost; }

}  // namespace

std::string to_text(bool v) { return v ? "true" : "false"; }
std::string to_text(i64 v) { return std::to_string(v); }
std::string to_text(std::string_view v) { return std::string(v); }
std::string to_text(double v) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), v, std::chars_format::general, 6).ptr;
  return {text.data(), end};
}

void fail(Exit exit, const Message& message, const std::vector<std::string>& values) {
  std::string text = filled(message.text, values);
  if (!speaks_to_users(exit)) {
    const std::string_view path = message.where.file_name();
    const std::size_t slash = path.find_last_of('/');
    text += "  [" + std::string(slash == path.npos ? path : path.substr(slash + 1)) + ":" +
            std::to_string(message.where.line()) + "]";
  }
  throw Error(exit, text);
}

}  // namespace dactyl
