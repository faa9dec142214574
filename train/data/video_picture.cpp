// Pixel formats, colour matrices, ranges: a decoded frame to RGB.
#ifdef DACTYL_FFMPEG
#include "train/data/video_picture.h"

#include <cstring>

#include "train/data/decode.h"

namespace dactyl {
namespace {

// The scaler writes whole vectors: rows of its own, wider than the picture.
int stride_for(int width) { return (3 * width + 63) / 64 * 64 + 64; }

// Where a file does not say which matrix made its colours: what players take.
int matrix_for(const AVFrame& frame) {
  const bool told = frame.colorspace != AVCOL_SPC_UNSPECIFIED && frame.colorspace != AVCOL_SPC_RGB;
  if (told) return frame.colorspace;
  return frame.height >= 720 || frame.width >= 1280 ? SWS_CS_ITU709 : SWS_CS_ITU601;
}

bool has_full_range(const AVFrame& frame) {
  switch (frame.format) {
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ444P:
    case AV_PIX_FMT_YUVJ440P:
    case AV_PIX_FMT_YUVJ411P:
      return true;
    default:
      return frame.color_range == AVCOL_RANGE_JPEG;
  }
}

}  // namespace

void VideoPicture::prepare(const AVFrame& frame) {
  const Kind kind{frame.width, frame.height, frame.format, matrix_for(frame), has_full_range(frame)};
  if (kind == kind_) return;
  kind_ = {};
  const auto format = static_cast<AVPixelFormat>(frame.format);
  const char* name = av_get_pix_fmt_name(format);
  // No scaling, and chroma brought to full size; bit-exact: the same on processors with other vector units.
  constexpr int how = SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP | SWS_BITEXACT;
  scaler_.reset(sws_getContext(frame.width, frame.height, format, frame.width, frame.height, AV_PIX_FMT_RGB24, how,
                               nullptr, nullptr, nullptr));
  check(Exit::data, scaler_ != nullptr, "its pixels ({}) cannot be turned into RGB", name ? name : "unknown");
  sws_setColorspaceDetails(scaler_.get(), sws_getCoefficients(kind.space), kind.range,
                           sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16, 1 << 16);
  rows_.resize(static_cast<std::size_t>(stride_for(frame.width)) * static_cast<std::size_t>(frame.height) + 64);
  kind_ = kind;
}

Image VideoPicture::operator()(const AVFrame& frame) {
  prepare(frame);
  const int stride = stride_for(frame.width);
  std::uint8_t* to[] = {rows_.data()};
  sws_scale(scaler_.get(), frame.data, frame.linesize, 0, frame.height, to, &stride);
  Image image{frame.height, frame.width, {}};
  const auto row = 3 * static_cast<std::size_t>(frame.width);
  image.rgb.resize(row * static_cast<std::size_t>(frame.height));
  for (int y = 0; y < frame.height; ++y)
    std::memcpy(&image.rgb[static_cast<std::size_t>(y) * row], rows_.data() + static_cast<std::ptrdiff_t>(y) * stride,
                row);
  return oriented(std::move(image), orientation_);
}

}  // namespace dactyl
#endif
