// A sample's file, open for reading: ordinary files only, by position.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/check.h"

namespace dactyl {

// Opening never hangs (a pipe is refused, not waited for). Errors are Exit::data and do not name the path: the caller
// puts it in front. `kind` completes "is a directory, not …".
class RegularFile {
 public:
  RegularFile(const std::string& path, const char* kind, i64 byte_limit);  // refuses empty and larger files
  ~RegularFile();
  RegularFile(const RegularFile&) = delete;
  RegularFile& operator=(const RegularFile&) = delete;

  i64 size() const { return size_; }
  i64 read_some(i64 offset, std::uint8_t* to, i64 bytes) const;  // how many were read; 0: none are left
  void read(i64 offset, std::uint8_t* to, i64 bytes) const;      // all of them
  std::vector<std::uint8_t> read_all() const;

 private:
  int descriptor_;
  i64 size_ = 0;
};

// body(), with the path in front of its errors.
template <class Body>
auto about(const std::string& path, const Body& body) {
  try {
    return body();
  } catch (const Error& error) {
    throw Error(error.exit(), path + ": " + error.what());
  }
}

}  // namespace dactyl
