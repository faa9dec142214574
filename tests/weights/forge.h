// Model files made byte by byte, good and bad, and what reading them says.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "weights/weights.h"

namespace dactyl {

// A folder of its own that goes with the test.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "weights-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A new file each time: some file systems write a truncated one to the disk at once, which takes milliseconds.
inline std::string put(const std::string& path, const std::string& content) {
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(content.data(), static_cast<std::streamsize>(content.size()));
  return path;
}

inline std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The sentence of the error that must come, of the kind that must come; "" and a failed test otherwise.
inline std::string error_of(const std::function<void()>& action, Exit exit = Exit::model_file) {
  try {
    action();
  } catch (const Error& e) {
    EXPECT_EQ(e.exit(), exit) << e.what();
    return e.what();
  }
  ADD_FAILURE() << "no error came";
  return "";
}

inline void expect_part(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "expected “" << part << "” in “" << text << "”";
}

template <class T>
std::string raw(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

inline std::string floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

inline std::string safetensors(const std::string& header, const std::string& data = "") {
  return raw(std::uint64_t{header.size()}) + header + data;
}

// --- Protocol Buffers ------------------------------------------------------------------------------------------------

inline std::string varint(std::uint64_t v) {
  std::string out;
  for (; v >= 0x80; v >>= 7) out += static_cast<char>(v | 0x80);
  return out + static_cast<char>(v);
}
inline std::string key(std::uint64_t field, std::uint64_t wire) { return varint(field << 3 | wire); }
inline std::string number(std::uint64_t field, std::uint64_t v) { return key(field, 0) + varint(v); }
inline std::string text(std::uint64_t field, const std::string& s) { return key(field, 2) + varint(s.size()) + s; }

inline std::string legacy(std::uint64_t n, std::uint64_t c, std::uint64_t h, std::uint64_t w) {
  return number(1, n) + number(2, c) + number(3, h) + number(4, w);
}
inline std::string blob_shape(const std::vector<std::uint64_t>& extents) {
  std::string packed;
  for (const auto e : extents) packed += varint(e);
  return text(7, text(1, packed));
}
inline std::string packed(const std::vector<float>& values) { return text(5, floats(values)); }

// A version-1 layer; type 4 is a convolution, 14 an inner product.
inline std::string v1_layer(const std::string& name, std::uint64_t type, const std::vector<std::string>& blobs) {
  std::string body = text(4, name) + number(5, type);
  for (const auto& b : blobs) body += text(6, b);
  return text(2, body);
}
inline std::string v2_layer(const std::string& name, const std::string& type, const std::vector<std::string>& blobs) {
  std::string body = text(1, name) + text(2, type);
  for (const auto& b : blobs) body += text(7, b);
  return text(100, body);
}
inline std::string net(const std::string& layers) { return text(1, "Net") + layers; }

inline std::vector<float> counting(std::size_t n) {
  std::vector<float> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<float>(i);
  return values;
}

}  // namespace dactyl
