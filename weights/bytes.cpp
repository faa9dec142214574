// Opening model files and reading them without running past their end.
#include "weights/bytes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace dactyl {
namespace {

const char* kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

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

}  // namespace

std::string shown(std::string_view text) {
  constexpr std::size_t limit = 120;
  static const char* digits = "0123456789abcdef";
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size() && i < limit;) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t n = utf8_length(text.substr(i));
    if (byte < 0x20 || byte == 0x7f || n == 0) {
      out += std::string("\\x") + digits[byte >> 4] + digits[byte & 15];
      ++i;
    } else {
      out += text.substr(i, n);
      i += n;
    }
  }
  return out + (text.size() > limit ? "…\"" : "\"");
}

bool is_sound_name(std::string_view name) {
  if (name.empty() || name.size() > 512 || name.find("../") != name.npos) return false;
  for (std::size_t i = 0; i < name.size();) {
    const auto byte = static_cast<unsigned char>(name[i]);
    const std::size_t n = utf8_length(name.substr(i));
    if (byte < 0x20 || byte == 0x7f || n == 0) return false;
    i += n;
  }
  return true;
}

std::optional<i64> product(std::span<const i64> extents) {
  i64 n = 1;
  for (const i64 e : extents)
    if (e < 0 || __builtin_mul_overflow(n, e, &n)) return std::nullopt;
  return n;
}

InputFile::InputFile(const std::string& path) : path_(path) {
  // O_NONBLOCK: opening a pipe nobody writes to must fail, not wait.
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  check(Exit::model_file, descriptor_ >= 0, "{}: cannot be opened: {}", path, std::strerror(errno));
  struct stat status {};
  const bool known = ::fstat(descriptor_, &status) == 0;
  if (known && S_ISREG(status.st_mode)) {
    size_ = static_cast<std::uint64_t>(status.st_size);
    return;
  }
  ::close(descriptor_);
  check(Exit::model_file, false, "{}: is {}, a model file was expected", path,
        known ? kind_of(status.st_mode) : "unreadable");
}

InputFile::~InputFile() { ::close(descriptor_); }

void InputFile::read(std::uint64_t offset, void* to, std::uint64_t bytes) const {
  check(Exit::model_file, offset <= size_ && bytes <= size_ - offset,
        "{}: {} bytes at byte {} lie past its end, byte {}", path_, bytes, offset, size_);
  auto* at = static_cast<char*>(to);
  while (bytes > 0) {
    const ssize_t n = ::pread(descriptor_, at, bytes, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    check(Exit::model_file, n >= 0, "{}: reading at byte {} failed: {}", path_, offset, std::strerror(errno));
    check(Exit::model_file, n > 0, "{}: became shorter while it was read: ends at byte {}, had {}", path_, offset,
          size_);
    at += n;
    offset += static_cast<std::uint64_t>(n);
    bytes -= static_cast<std::uint64_t>(n);
  }
}

std::string InputFile::text(std::uint64_t offset, std::uint64_t bytes) const {
  check(Exit::model_file, bytes <= size_, "{}: {} bytes wanted, it has {}", path_, bytes, size_);
  std::string out(bytes, '\0');
  read(offset, out.data(), bytes);
  return out;
}

void Bytes::refuse(const std::string& what) const {
  const std::string where = where_.empty() ? "" : "layer " + shown(where_) + ": ";
  fail(Exit::model_file, "{}: {}{} at byte {}", {*path_, where, what, std::to_string(offset())});
}

Bytes Bytes::take(std::uint64_t bytes) {
  if (bytes > left()) refuse(std::to_string(bytes) + " bytes announced, " + std::to_string(left()) + " left");
  Bytes window = *this;
  window.left_ = left_.first(bytes);
  left_ = left_.subspan(bytes);
  return window;
}

std::uint64_t Bytes::varint() {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 10; ++i) {
    if (i >= left_.size()) refuse("a number is cut off");
    const auto byte = std::to_integer<std::uint64_t>(left_[i]);
    if (i == 9 && byte > 1) break;
    value |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      left_ = left_.subspan(i + 1);
      return value;
    }
  }
  refuse("a number has more than 64 bits");
}

}  // namespace dactyl
