// A model file's bytes: how a file is opened, and the bounded cursor that cannot run past the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/check.h"
#include "weights/text.h"

namespace dactyl {

// The product of extents, or nothing when it does not fit 63 bits or an extent is negative.
std::optional<i64> product(std::span<const i64> extents);

// An ordinary file, open for reading. Bytes are copied out by position, never mapped: a file that shrinks or fails
// underneath is an error and not a signal, and a pipe is refused instead of waited for. All errors name the path.
class InputFile {
 public:
  explicit InputFile(const std::string& path, Exit exit = Exit::model_file, const char* expected = "a model file");
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }
  void read(std::uint64_t offset, void* to, std::uint64_t bytes) const;
  std::string text(std::uint64_t offset, std::uint64_t bytes) const;

 private:
  std::string path_;
  Exit exit_;
  int descriptor_;
  std::uint64_t size_ = 0;
};

// A window on a file's bytes that is read from front to back. `where` names the part for the error text.
class Bytes {
 public:
  Bytes(const std::string& path, std::span<const std::byte> bytes) : path_(&path), begin_(bytes.data()), left_(bytes) {}

  bool done() const { return left_.empty(); }
  std::uint64_t left() const { return left_.size(); }
  std::uint64_t offset() const { return static_cast<std::uint64_t>(left_.data() - begin_); }  // in the file
  const std::byte* data() const { return left_.data(); }
  void name(std::string_view where) { where_ = where; }
  std::string_view name() const { return where_; }
  std::string_view chars() const { return {reinterpret_cast<const char*>(left_.data()), left_.size()}; }

  Bytes take(std::uint64_t bytes);  // a window on the next bytes, which are thereby read
  std::uint64_t varint();           // Protocol Buffers: 7 bits a byte, at most 10 bytes
  [[noreturn]] void refuse(const std::string& what) const;

 private:
  const std::string* path_;
  const std::byte* begin_;  // of the file
  std::span<const std::byte> left_;
  std::string_view where_;
};

}  // namespace dactyl
