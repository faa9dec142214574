// PNG files of every kind, built by hand: uncompressed deflate blocks, no row filters.
#pragma once

#include <string_view>

#include "tests/train/pictures.h"

namespace dactyl {

inline void put_word(ByteVector& to, std::uint32_t v) {
  for (int shift = 24; shift >= 0; shift -= 8) to.push_back(static_cast<std::uint8_t>(v >> shift));
}

inline std::uint32_t plain_crc(const std::uint8_t* data, std::size_t n) {
  std::uint32_t crc = ~0u;
  for (std::size_t i = 0; i < n; ++i) {
    crc ^= data[i];
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0xEDB88320u : 0);
  }
  return ~crc;
}

inline void put_chunk(ByteVector& to, std::string_view type, const ByteVector& body) {
  put_word(to, static_cast<std::uint32_t>(body.size()));
  const std::size_t start = to.size();
  append(to, type.data(), type.size());
  append(to, body);
  put_word(to, plain_crc(&to[start], to.size() - start));
}

// zlib without compression.
inline ByteVector stored(const ByteVector& data) {
  ByteVector out = {0x78, 0x01};
  std::uint32_t a = 1, b = 0;
  for (const std::uint8_t byte : data) b = (b + (a = (a + byte) % 65521)) % 65521;
  for (std::size_t at = 0; at == 0 || at < data.size(); at += 65535) {
    const std::size_t n = std::min<std::size_t>(65535, data.size() - at);
    const auto low = static_cast<std::uint8_t>(n), high = static_cast<std::uint8_t>(n >> 8);
    for (const int v : {at + n >= data.size() ? 1 : 0, int{low}, int{high}, ~low & 255, ~high & 255})
      out.push_back(static_cast<std::uint8_t>(v));
    append(out, data.data() + at, n);
  }
  put_word(out, b << 16 | a);
  return out;
}

struct PngRecipe {
  int height = 0, width = 0, depth = 8, colour = 2;
  bool interlaced = false;
  ByteVector rows;                                         // filter byte and packed samples of every row, of every pass
  std::vector<std::pair<std::string, ByteVector>> before;  // chunks between header and pixels
};

inline ByteVector png_bytes(const PngRecipe& recipe) {
  ByteVector bytes = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'}, header;
  put_word(header, static_cast<std::uint32_t>(recipe.width));
  put_word(header, static_cast<std::uint32_t>(recipe.height));
  for (const int v : {recipe.depth, recipe.colour, 0, 0, recipe.interlaced ? 1 : 0})
    header.push_back(static_cast<std::uint8_t>(v));
  put_chunk(bytes, "IHDR", header);
  for (const auto& [type, body] : recipe.before) put_chunk(bytes, type, body);
  put_chunk(bytes, "IDAT", stored(recipe.rows));
  put_chunk(bytes, "IEND", {});
  return bytes;
}

// One row without filter.
inline ByteVector rows_of(std::initializer_list<ByteVector> rows) {
  ByteVector out;
  for (const ByteVector& row : rows) {
    out.push_back(0);
    append(out, row);
  }
  return out;
}

}  // namespace dactyl
