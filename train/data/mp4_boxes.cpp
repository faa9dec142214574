// The outermost boxes of an MP4: FFmpeg shows what it can find of a cut file, here a cut is a cut.
#ifdef DACTYL_FFMPEG
#include <algorithm>
#include <string_view>

#include "train/data/video_file.h"

namespace dactyl {
namespace {

std::uint64_t big_endian(const std::uint8_t* bytes, int count) {
  std::uint64_t value = 0;
  for (int i = 0; i < count; ++i) value = value << 8 | bytes[i];
  return value;
}

}  // namespace

// A box: its length in four bytes (1: in eight bytes more, 0: to the end), its name, its content (ISO 14496-12, 4.2).
void check_boxes(const RegularFile& file) {
  constexpr std::string_view known[] = {"ftyp", "moov", "mdat", "moof", "mfra", "free", "wide", "skip", "uuid"};
  for (i64 at = 0; at + 16 <= file.size();) {
    std::uint8_t head[16];
    file.read(at, head, sizeof head);
    const std::string_view name(reinterpret_cast<const char*>(head) + 4, 4);
    std::uint64_t length = big_endian(head, 4);
    if (length == 0) return;
    if (length == 1) length = big_endian(head + 8, 8);
    // What follows the last box is nobody's business.
    if (length < 8 || std::find(std::begin(known), std::end(known), name) == std::end(known)) return;
    check(Exit::data, length <= static_cast<std::uint64_t>(file.size() - at),
          "is cut: its box \"{}\" at byte {} has {} bytes, the file only {} from there on", name, at,
          std::to_string(length), file.size() - at);
    at += static_cast<i64>(length);
  }
}

}  // namespace dactyl
#endif
