// The integrity check of PNG files: CRC of every chunk, order, and the exact amount of pixel data.
#include <stb_image.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <string_view>

#include "train/data/decode.h"

namespace dactyl {
namespace {

// CRC-32 of PNG (polynomial 0xEDB88320, reflected), byte by byte.
std::uint32_t crc32(Bytes bytes) {
  static const std::array<std::uint32_t, 256> table = [] {
    std::array<std::uint32_t, 256> t{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      t[i] = i;
      for (int bit = 0; bit < 8; ++bit) t[i] = (t[i] >> 1) ^ (t[i] & 1 ? 0xEDB88320u : 0);
    }
    return t;
  }();
  std::uint32_t crc = ~0u;
  for (const std::uint8_t byte : bytes) crc = table[(crc ^ byte) & 255] ^ (crc >> 8);
  return ~crc;
}

std::uint32_t word(Bytes bytes, std::size_t at) {
  return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 | std::uint32_t{bytes[at + 2]} << 8 |
         bytes[at + 3];
}

struct Chunk {
  std::string_view type;
  Bytes body, whole;  // whole: with length, type and CRC
};

Chunk chunk_at(Bytes bytes, std::size_t at) {
  check(Exit::data, bytes.size() - at >= 12, "PNG is cut off: it ends after {} bytes without its end chunk",
        bytes.size());
  const std::size_t length = word(bytes, at);
  check(Exit::data, bytes.size() - at - 12 >= length, "PNG is cut off: a chunk at byte {} has {} bytes, {} are there",
        at, length, bytes.size() - at - 12);
  const Chunk chunk{{reinterpret_cast<const char*>(&bytes[at + 4]), 4},
                    bytes.subspan(at + 8, length),
                    bytes.subspan(at, length + 12)};
  check(Exit::data, crc32(bytes.subspan(at + 4, length + 4)) == word(bytes, at + 8 + length),
        "PNG is damaged: wrong CRC of the chunk at byte {}", at);
  return chunk;
}

// Bytes of one pass: each row has a filter byte.
i64 pass_bytes(i64 height, i64 width, i64 bits) { return height && width ? height * (1 + (width * bits + 7) / 8) : 0; }

// What the pixel data must inflate to; Adam7 sends seven sub-pictures.
i64 inflated_bytes(const PngFacts& facts, int colour, bool interlaced) {
  const i64 channels = colour == 2 ? 3 : colour == 4 ? 2 : colour == 6 ? 4 : 1;
  const i64 bits = channels * facts.depth;
  if (!interlaced) return pass_bytes(facts.height, facts.width, bits);
  constexpr int steps[7][4] = {{0, 8, 0, 8}, {0, 8, 4, 8}, {4, 8, 0, 4}, {0, 4, 2, 4},
                               {2, 4, 0, 2}, {0, 2, 1, 2}, {1, 2, 0, 1}};
  i64 total = 0;
  for (const auto& [top, down, left, right] : steps)
    total += pass_bytes((facts.height - top + down - 1) / down, (facts.width - left + right - 1) / right, bits);
  return total;
}

i64 read_header(const Chunk& chunk, PngFacts& facts, const ImageLimits& limits) {
  check(Exit::data, chunk.type == "IHDR" && chunk.body.size() == 13, "PNG: the header is missing");
  const i64 width = word(chunk.body, 0), height = word(chunk.body, 4);
  check_sides("PNG", height, width, limits);
  facts.width = static_cast<int>(width);
  facts.height = static_cast<int>(height);
  facts.depth = chunk.body[8];
  const int colour = chunk.body[9];
  const bool known = colour == 0 || colour == 2 || colour == 3 || colour == 4 || colour == 6;
  const bool narrow = facts.depth == 1 || facts.depth == 2 || facts.depth == 4;
  const bool fits = facts.depth == 8 || (facts.depth == 16 && colour != 3) || (narrow && (colour == 0 || colour == 3));
  check(Exit::data, known && fits, "PNG: {} bits of colour type {} do not exist", facts.depth, colour);
  check(Exit::data, chunk.body[10] == 0 && chunk.body[11] == 0 && chunk.body[12] <= 1, "PNG: unknown coding");
  return inflated_bytes(facts, colour, chunk.body[12] == 1);
}

// zlib ends with a checksum of what was packed (RFC 1950), which the inflater does not look at.
void check_adler(const std::vector<std::uint8_t>& pixels, Bytes inflated) {
  std::uint32_t a = 1, b = 0;
  constexpr std::size_t most = 5552;  // bytes before the sums can overflow
  for (std::size_t at = 0; at < inflated.size(); a %= 65521, b %= 65521)
    for (const std::size_t end = std::min(at + most, inflated.size()); at < end; ++at) b += a += inflated[at];
  check(Exit::data, pixels.size() >= 4 && word(pixels, pixels.size() - 4) == (b << 16 | a),
        "PNG is damaged: wrong checksum of its pixels");
}

// A stream that inflates past the promised size stops at the buffer's end, so a bomb costs no more than its header
// says.
void check_inflates(const std::vector<std::uint8_t>& pixels, i64 promised) {
  constexpr i64 most = std::numeric_limits<int>::max();
  check(Exit::data, promised <= most && static_cast<i64>(pixels.size()) <= most, "PNG: too large");
  const std::unique_ptr<char[]> room(new char[static_cast<std::size_t>(promised)]);
  const int found =
      stbi_zlib_decode_buffer(room.get(), static_cast<int>(promised), reinterpret_cast<const char*>(pixels.data()),
                              static_cast<int>(pixels.size()));
  check(Exit::data, found >= 0, "PNG is damaged: {}", stbi_failure_reason());
  check(Exit::data, found == promised, "PNG is damaged: {} bytes of pixels, the header promises {}", found, promised);
  check_adler(pixels, {reinterpret_cast<const std::uint8_t*>(room.get()), static_cast<std::size_t>(promised)});
}

void append(std::vector<std::uint8_t>& to, Bytes bytes) {
  const std::size_t start = to.size();
  to.resize(start + bytes.size());
  std::copy(bytes.begin(), bytes.end(), to.begin() + static_cast<std::ptrdiff_t>(start));
}

void append_chunk(std::vector<std::uint8_t>& to, std::string_view type, Bytes body) {
  const auto put = [&](std::uint32_t v) {
    for (int shift = 24; shift >= 0; shift -= 8) to.push_back(static_cast<std::uint8_t>(v >> shift));
  };
  put(static_cast<std::uint32_t>(body.size()));
  const std::size_t start = to.size();
  append(to, {reinterpret_cast<const std::uint8_t*>(type.data()), type.size()});
  append(to, body);
  put(crc32(Bytes(to).subspan(start)));
}

// The same pixels as a grey picture: header, pixels, end.
std::vector<std::uint8_t> as_grey(Bytes signature, Bytes header, const std::vector<std::uint8_t>& pixels) {
  std::vector<std::uint8_t> file, grey;
  append(file, signature);
  append(grey, header);
  grey[9] = 0;  // the colour type
  append_chunk(file, "IHDR", grey);
  append_chunk(file, "IDAT", pixels);
  append_chunk(file, "IEND", {});
  return file;
}

}  // namespace

PngFacts examine_png(Bytes bytes, const ImageLimits& limits) {
  PngFacts facts;
  std::vector<std::uint8_t> pixels;
  constexpr std::size_t signature = 8;
  append(facts.essence, bytes.first(signature));
  Chunk chunk = chunk_at(bytes, signature);
  const i64 promised = read_header(chunk, facts, limits);
  append(facts.essence, chunk.whole);
  const Bytes header = chunk.body;
  for (std::size_t at = signature + chunk.whole.size(); chunk.type != "IEND"; at += chunk.whole.size()) {
    chunk = chunk_at(bytes, at);
    const bool critical = !(chunk.type[0] & 0x20);
    if (chunk.type == "IDAT") append(pixels, chunk.body);
    if (chunk.type == "PLTE" && header[9] == 3) facts.colours = static_cast<int>(chunk.body.size() / 3);
    if (chunk.type == "PLTE" || chunk.type == "tRNS") append(facts.essence, chunk.whole);
    if (chunk.type == "eXIf") facts.orientation = exif_orientation(chunk.body);
    check(Exit::data, !critical || chunk.type == "IDAT" || chunk.type == "PLTE" || chunk.type == "IEND",
          "PNG: unknown chunk {} at byte {}", chunk.type, at);
  }
  check(Exit::data, !pixels.empty(), "PNG: no pixel data");
  check_inflates(pixels, promised);
  if (facts.colours >= 1 << std::min(facts.depth, 8)) facts.colours = 0;
  if (facts.colours > 0) facts.indices = as_grey(bytes.first(signature), header, pixels);
  append_chunk(facts.essence, "IDAT", pixels);
  append_chunk(facts.essence, "IEND", {});
  return facts;
}

}  // namespace dactyl
