// UTF-8, what a terminal may see, and text files read whole.
#include "weights/text.h"

#include <algorithm>

#include "weights/bytes.h"

namespace dactyl {
namespace {

// The length of the UTF-8 sequence at the start of the text; 0 if it is ill-formed (overlong, surrogate, too large).
std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  const std::size_t n = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return 0;
  for (std::size_t i = 1; i < n; ++i)
    if ((at(i) & 0xc0) != 0x80) return 0;
  const bool narrow = (first == 0xe0 && at(1) < 0xa0) || (first == 0xf0 && at(1) < 0x90);
  const bool wide = (first == 0xed && at(1) > 0x9f) || (first == 0xf4 && at(1) > 0x8f);
  return narrow || wide ? 0 : n;
}

// Whether a text begins with what a terminal would obey: C0, DEL, or C1 (which UTF-8 writes as two bytes).
bool is_control(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const bool c1 = first == 0xc2 && text.size() > 1 && static_cast<unsigned char>(text[1]) < 0xa0;
  return first < 0x20 || first == 0x7f || c1;
}

}  // namespace

std::string one_line(std::string_view text) {
  static const char* digits = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t n = utf8_length(text.substr(i));
    if (!is_control(text.substr(i)) && n > 0) {
      out += text.substr(i, n);
      i += n;
      continue;
    }
    for (const std::size_t end = i + std::max<std::size_t>(n, 1); i < end; ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      out += std::string("\\x") + digits[byte >> 4] + digits[byte & 15];
    }
  }
  return out;
}

std::string shown(std::string_view text) {
  constexpr std::size_t limit = 120;
  std::size_t end = std::min(limit, text.size());
  while (end < text.size() && end > limit - 4 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return "\"" + one_line(text.substr(0, end)) + (end < text.size() ? "…\"" : "\"");
}

bool is_utf8(std::string_view text) {
  for (std::size_t n; !text.empty(); text.remove_prefix(n))
    if ((n = utf8_length(text)) == 0) return false;
  return true;
}

bool is_sound_name(std::string_view name) {
  if (name.empty() || name.size() > 512 || name.find("../") != name.npos) return false;
  for (std::size_t i = 0; i < name.size();) {
    const std::size_t n = utf8_length(name.substr(i));
    if (n == 0 || is_control(name.substr(i))) return false;
    i += n;
  }
  return true;
}

std::string text_file(const std::string& path, Exit exit) {
  constexpr std::uint64_t limit = std::uint64_t{1} << 30;
  const InputFile file(path, exit, "a text file");
  check(exit, file.size() <= limit, "{}: has {} bytes, the limit for a text is {}", path, file.size(), limit);
  return file.text(0, file.size());
}

}  // namespace dactyl
