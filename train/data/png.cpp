// PNG bytes to pixels, and stb_image itself: it sees checked JPEG and PNG bytes only, never a file.
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#include <stb_image.h>

#include <algorithm>
#include <memory>

#include "train/data/decode.h"

namespace dactyl {
namespace {

template <class T>
using Pixels = std::unique_ptr<T, void (*)(void*)>;

// Four numbers of 0…full per pixel to three bytes, over black: rgb·alpha, rounded once.
template <class T>
Image over_black(const T* rgba, int height, int width, std::uint64_t full) {
  const std::size_t count = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  Image image{height, width, std::vector<std::uint8_t>(3 * count)};
  const std::uint64_t most = full * full;
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t c = 0; c < 3; ++c) {
      const std::uint64_t light = std::uint64_t{rgba[4 * i + c]} * rgba[4 * i + 3];
      image.rgb[3 * i + c] = static_cast<std::uint8_t>((light * 255 + most / 2) / most);
    }
  return image;
}

template <class T, class Load>
Image load(const PngFacts& facts, std::uint64_t full, Load stbi_load) {
  int width = 0, height = 0, components = 0;
  const Pixels<T> rgba(
      stbi_load(facts.essence.data(), static_cast<int>(facts.essence.size()), &width, &height, &components, 4),
      stbi_image_free);
  check(Exit::data, rgba && width == facts.width && height == facts.height, "PNG is damaged: {}",
        rgba ? "two sizes" : stbi_failure_reason());
  return over_black(rgba.get(), height, width, full);
}

// A pixel that names a colour beyond the palette's end: the decoder would show whatever memory holds there.
void check_indices(const PngFacts& facts) {
  int width = 0, height = 0, components = 0;
  const Pixels<stbi_uc> grey(stbi_load_from_memory(facts.indices.data(), static_cast<int>(facts.indices.size()), &width,
                                                   &height, &components, 1),
                             stbi_image_free);
  check(Exit::data, grey != nullptr, "PNG is damaged: {}", stbi_failure_reason());
  const int spread = 255 / ((1 << facts.depth) - 1);  // what the decoder made of narrow numbers
  const std::size_t count = static_cast<std::size_t>(facts.height) * static_cast<std::size_t>(facts.width);
  const int most = *std::max_element(grey.get(), grey.get() + count) / spread;
  check(Exit::data, most < facts.colours, "PNG is damaged: a pixel of colour {}, the palette has {}", most,
        facts.colours);
}

}  // namespace

Image decode_png(Bytes bytes, const ImageLimits& limits) {
  const PngFacts facts = examine_png(bytes, limits);
  if (facts.colours > 0) check_indices(facts);
  Image image = facts.depth == 16 ? load<stbi_us>(facts, 65535, stbi_load_16_from_memory)
                                  : load<stbi_uc>(facts, 255, stbi_load_from_memory);
  return oriented(std::move(image), facts.orientation);
}

}  // namespace dactyl
