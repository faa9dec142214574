// CRC-32C by table and by the SSE 4.2 instruction.
#include "weights/crc32c.h"

#include <array>
#include <cstring>

namespace dactyl {
namespace {

constexpr std::array<std::uint32_t, 256> table = [] {
  std::array<std::uint32_t, 256> rows{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t row = i;
    for (int bit = 0; bit < 8; ++bit) row = (row >> 1) ^ (row & 1 ? 0x82F63B78u : 0);
    rows[i] = row;
  }
  return rows;
}();

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(const unsigned char* at, std::size_t bytes,
                                                                      std::uint32_t before) {
  std::uint64_t crc = ~before;
  for (; bytes >= 8; bytes -= 8, at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    crc = __builtin_ia32_crc32di(crc, word);
  }
  auto tail = static_cast<std::uint32_t>(crc);
  for (; bytes > 0; --bytes) tail = __builtin_ia32_crc32qi(tail, *at++);
  return ~tail;
}
#endif

}  // namespace

std::uint32_t crc32c_by_table(const void* data, std::size_t bytes, std::uint32_t before) {
  const auto* at = static_cast<const unsigned char*>(data);
  std::uint32_t crc = ~before;
  for (; bytes > 0; --bytes) crc = (crc >> 8) ^ table[(crc ^ *at++) & 0xff];
  return ~crc;
}

std::uint32_t crc32c(const void* data, std::size_t bytes, std::uint32_t before) {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2");
  if (has_instruction) return crc32c_by_instruction(static_cast<const unsigned char*>(data), bytes, before);
#endif
  return crc32c_by_table(data, bytes, before);
}

std::string hex8(std::uint32_t value) {
  std::string text(8, '0');
  for (std::size_t i = 0; i < 8; ++i) text[7 - i] = "0123456789abcdef"[(value >> (4 * i)) & 15];
  return text;
}

}  // namespace dactyl
