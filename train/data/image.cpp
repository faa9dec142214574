// From a path to pixels: what the file is, whether it may be read, which decoder it goes to.
#include "train/data/image.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "train/data/decode.h"
#include "train/data/load_stage.h"
#include "train/data/regular_file.h"

namespace dactyl {
namespace {

struct Magic {
  std::size_t at;
  std::string_view bytes;
  const char* name;
};
constexpr Magic formats[] = {
    {0, "\xFF\xD8", "JPEG"},
    {0, "\x89PNG\r\n\x1A\n", "PNG"},
    {0, "GIF8", "GIF"},
    {8, "WEBP", "WebP"},
    {4, "ftyphei", "HEIC"},
    {4, "ftyphev", "HEIC"},
    {4, "ftypmif1", "HEIC"},
    {4, "ftypavif", "AVIF"},
    {4, "ftyp", "a video"},
    {0, "\x1A\x45\xDF\xA3", "a video"},
    {0, "#EXTM3U", "a playlist"},
    {0, "[playlist]", "a playlist"},
    {0, "ffconcat", "a list of files"},
    {0, "v=0", "a description of a network stream"},
    {0, std::string_view("II*\0", 4), "TIFF"},
    {0, std::string_view("MM\0*", 4), "TIFF"},
    {0, "BM", "BMP"},
    {0, "8BPS", "Photoshop"},
    {4, "JXL ", "JPEG XL"},
    {0, "\xFF\x0A", "JPEG XL"},
    {4, "jP  ", "JPEG 2000"},
    {0, "%PDF", "PDF"},
    {0, "<svg", "SVG"},
    {0, "<?xml", "SVG or other XML"},
    {0, "<", "a web page"},
    {0, "PK", "a ZIP archive"},
};

bool has(Bytes bytes, std::size_t at, std::string_view magic) {
  return bytes.size() >= at + magic.size() && std::memcmp(bytes.data() + at, magic.data(), magic.size()) == 0;
}

[[noreturn]] void refuse_format(Bytes bytes) {
  const std::string name = looks_like(bytes);
  check(Exit::data, name.empty(), "unsupported: looks like {}; JPEG and PNG are read", name);
  fail(Exit::data, "neither JPEG nor PNG, nor any picture known here", {});
}

}  // namespace

std::string looks_like(Bytes bytes) {
  for (const Magic& format : formats)
    if (has(bytes, format.at, format.bytes)) return format.name;
  return "";
}

void check_sides(const char* format, i64 height, i64 width, const ImageLimits& limits) {
  check(Exit::data, height > 0 && width > 0, "{}: a picture of {} x {}", format, width, height);
  check(Exit::data, std::max(height, width) <= limits.side && height * width <= limits.pixels,
        "{}: {} x {} is too large, the limit is {} per side and {} pixels", format, width, height, limits.side,
        limits.pixels);
}

Image decode(Bytes bytes, const ImageLimits& limits) {
  check(Exit::data, static_cast<i64>(bytes.size()) <= limits.file_bytes, "{} bytes, the limit is {}", bytes.size(),
        limits.file_bytes);
  if (has(bytes, 0, "\xFF\xD8")) return decode_jpeg(bytes, limits);
  if (has(bytes, 0, "\x89PNG\r\n\x1A\n")) return decode_png(bytes, limits);
  refuse_format(bytes);
}

Image read_image(const std::string& path, const ImageLimits& limits) {
  return about(path, [&] {
    const Staged decoding(LoadStage::decode);
    const auto bytes = [&] {
      const Staged reading(LoadStage::read);
      return RegularFile(path, "a picture", limits.file_bytes).read_all();
    };
    return decode(bytes(), limits);
  });
}

Image frame_of(const Image& clip, int frame) {
  check(frame >= 0 && frame < clip.frames, "frame {} of a clip of {}", frame, clip.frames);
  const auto first =
      clip.rgb.begin() + static_cast<std::ptrdiff_t>(frame) * static_cast<std::ptrdiff_t>(clip.frame_bytes());
  return {clip.height, clip.width, {first, first + static_cast<std::ptrdiff_t>(clip.frame_bytes())}, 1, clip.channels};
}

Image cropped(const Image& image, int top, int left, int height, int width) {
  check(top >= 0 && left >= 0 && height > 0 && width > 0 && top + height <= image.height && left + width <= image.width,
        "crop: {} x {} from ({}, {}) of a picture of {} x {}", height, width, top, left, image.height, image.width);
  Image part{height, width, {}, image.frames, image.channels};
  const std::size_t row = part.row_bytes(), from_left = static_cast<std::size_t>(left * image.channels);
  part.rgb.resize(part.frame_bytes() * static_cast<std::size_t>(image.frames));
  std::uint8_t* to = part.rgb.data();
  for (int d = 0; d < image.frames; ++d)
    for (int y = top; y < top + height; ++y, to += row)
      std::memcpy(to, &image.rgb[static_cast<std::size_t>(d * image.height + y) * image.row_bytes() + from_left], row);
  return part;
}

}  // namespace dactyl
