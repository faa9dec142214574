// JPEG files of every kind, written by libjpeg, and surgery on them.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <functional>

#include <jpeglib.h>

#include "tests/train/pictures.h"

namespace dactyl {

// Compresses (height, width, channels) bytes of a colour space; `adjust` changes the defaults before the start.
inline ByteVector jpeg_bytes(int height, int width, J_COLOR_SPACE space, const ByteVector& pixels,
                             const std::function<void(jpeg_compress_struct&)>& adjust = {}) {
  jpeg_compress_struct info;
  jpeg_error_mgr errors;
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* data = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &data, &size);
  info.image_height = static_cast<JDIMENSION>(height);
  info.image_width = static_cast<JDIMENSION>(width);
  info.input_components = static_cast<int>(pixels.size()) / (height * width);
  info.in_color_space = space;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 95, TRUE);
  if (adjust) adjust(info);
  jpeg_start_compress(&info, TRUE);
  const std::size_t row_bytes = static_cast<std::size_t>(width * info.input_components);
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = const_cast<JSAMPROW>(&pixels[info.next_scanline * row_bytes]);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  ByteVector bytes(data, data + size);
  std::free(data);
  return bytes;
}

inline ByteVector jpeg_bytes(const Image& image, const std::function<void(jpeg_compress_struct&)>& adjust = {}) {
  return jpeg_bytes(image.height, image.width, JCS_RGB, image.rgb, adjust);
}

// The same file with an EXIF segment that holds the orientation alone, in either byte order.
inline ByteVector with_orientation(const ByteVector& jpeg, int orientation, bool little) {
  const auto o = static_cast<std::uint8_t>(orientation);
  const ByteVector start = {0xFF, 0xE1, 0, 34, 'E', 'x', 'i', 'f', 0, 0};
  const ByteVector tiff =
      little ? ByteVector{'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, o, 0, 0, 0, 0, 0, 0, 0}
             : ByteVector{'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, o, 0, 0, 0, 0, 0, 0};
  ByteVector bytes = head(jpeg, 2);
  append(bytes, start);
  append(bytes, tiff);
  append(bytes, jpeg.data() + 2, jpeg.size() - 2);
  return bytes;
}

// Where marker FF `code` stands for the `nth` time.
inline std::size_t marker_at(const ByteVector& bytes, int code, int nth = 0) {
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i)
    if (bytes[i] == 0xFF && bytes[i + 1] == code && nth-- == 0) return i;
  throw std::runtime_error("no such marker");
}

}  // namespace dactyl
