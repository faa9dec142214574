// Pictures, files and folders made up by the tests.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "train/data/image.h"

namespace dactyl {

using ByteVector = std::vector<std::uint8_t>;

inline void append(ByteVector& to, const void* data, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) to.push_back(static_cast<const std::uint8_t*>(data)[i]);
}
inline void append(ByteVector& to, const ByteVector& more) { append(to, more.data(), more.size()); }
inline ByteVector head(const ByteVector& bytes, std::size_t n) {
  ByteVector start;
  append(start, bytes.data(), n);
  return start;
}

// A folder of its own, gone with the test.
struct TempFolder {
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "dactyl_test_XXXXXX").string();
    if (!mkdtemp(pattern.data())) throw std::runtime_error("no temporary folder");
    path = pattern;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  std::string operator/(const std::string& name) const {
    const auto full = path / name;
    std::filesystem::create_directories(full.parent_path());
    return full.string();
  }
  std::filesystem::path path;
};

// The picture of tests/data/resize_golden.py.
inline Image computed_picture(int height, int width) {
  Image image{height, width, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c)
        image.rgb.push_back(static_cast<std::uint8_t>((x * 7 + y * 13 + c * 29 + x * y % 31 * 5) % 256));
  return image;
}

// Colours that change slowly, so that JPEG keeps them.
inline Image smooth_picture(int height, int width) {
  Image image{height, width, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (const int v : {40 + 160 * x / width, 200 - 150 * y / height, 60 + 100 * (x + y) / (width + height)})
        image.rgb.push_back(static_cast<std::uint8_t>(v));
  return image;
}

inline Image plain_picture(int height, int width, std::uint8_t value) {
  return {height, width, ByteVector(static_cast<std::size_t>(height * width * 3), value)};
}

inline const std::uint8_t* pixel(const Image& image, int y, int x) {
  return &image.rgb[3 * static_cast<std::size_t>(y * image.width + x)];
}

inline double mean_difference(const Image& a, const Image& b) {
  if (a.height != b.height || a.width != b.width) return 1e9;
  double sum = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i) sum += std::abs(a.rgb[i] - b.rgb[i]);
  return sum / static_cast<double>(a.rgb.size());
}

inline ByteVector bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_bytes(const std::string& path, const ByteVector& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

inline void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

// The text of the error that `body` throws, "" if it throws none; other kinds of error fail the test.
template <class Body>
std::string error_text(Exit expected, const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), expected) << error.what();
    return error.what();
  }
  return "";
}

}  // namespace dactyl
