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

}  // namespace

std::optional<i64> product(std::span<const i64> extents) {
  i64 n = 1;
  for (const i64 e : extents)
    if (e < 0 || __builtin_mul_overflow(n, e, &n)) return std::nullopt;
  return n;
}

InputFile::InputFile(const std::string& path, Exit exit, const char* expected) : path_(path), exit_(exit) {
  // O_NONBLOCK: opening a pipe nobody writes to must fail, not wait.
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  check(exit_, descriptor_ >= 0, "{}: cannot be opened: {}", path, std::strerror(errno));
  struct stat status {};
  const bool known = ::fstat(descriptor_, &status) == 0;
  if (known && S_ISREG(status.st_mode)) {
    size_ = static_cast<std::uint64_t>(status.st_size);
    return;
  }
  ::close(descriptor_);
  check(exit_, false, "{}: is {}, {} was expected", path, known ? kind_of(status.st_mode) : "unreadable", expected);
}

InputFile::~InputFile() { ::close(descriptor_); }

void InputFile::read(std::uint64_t offset, void* to, std::uint64_t bytes) const {
  check(exit_, offset <= size_ && bytes <= size_ - offset, "{}: {} bytes at byte {} lie past its end, byte {}", path_,
        bytes, offset, size_);
  auto* at = static_cast<char*>(to);
  while (bytes > 0) {
    const ssize_t n = ::pread(descriptor_, at, bytes, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    check(exit_, n >= 0, "{}: reading at byte {} failed: {}", path_, offset, std::strerror(errno));
    check(exit_, n > 0, "{}: became shorter while it was read: ends at byte {}, had {}", path_, offset, size_);
    at += n;
    offset += static_cast<std::uint64_t>(n);
    bytes -= static_cast<std::uint64_t>(n);
  }
}

std::string InputFile::text(std::uint64_t offset, std::uint64_t bytes) const {
  check(exit_, bytes <= size_, "{}: {} bytes wanted, it has {}", path_, bytes, size_);
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
