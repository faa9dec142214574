// Pictures to files, all or nothing.
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
#include <stb_image_write.h>

#include "train/data/image.h"
#include "weights/checkpoint.h"

namespace dactyl {
namespace {

void gather(void* content, void* bytes, int count) {
  static_cast<std::string*>(content)->append(static_cast<const char*>(bytes), static_cast<std::size_t>(count));
}

void check_pixels(const std::string& path, const Image& image) {
  check(
      image.height > 0 && image.width > 0 && static_cast<i64>(image.rgb.size()) == i64{3} * image.height * image.width,
      "{}: a picture of {} x {} with {} bytes", path, image.height, image.width, image.rgb.size());
}

}  // namespace

void write_png(const std::string& path, const Image& image) {
  check_pixels(path, image);
  std::string content;
  check(stbi_write_png_to_func(gather, &content, image.width, image.height, 3, image.rgb.data(), 3 * image.width),
        "{}: no memory for a PNG", path);
  write_atomically(path, content);
}

void write_jpeg(const std::string& path, const Image& image, int quality) {
  check_pixels(path, image);
  check(Exit::usage, quality >= 1 && quality <= 100, "{}: JPEG quality {} is not in 1 to 100", path, quality);
  std::string content;
  check(stbi_write_jpg_to_func(gather, &content, image.width, image.height, 3, image.rgb.data(), quality),
        "{}: no memory for a JPEG", path);
  write_atomically(path, content);
}

}  // namespace dactyl
