// JPEGs that a device is given, and what becomes of them one by one.
#pragma once

#include "tests/train/jpeg_planes.h"

namespace dactyl {

using Adjust = std::function<void(jpeg_compress_struct&)>;

inline Adjust sampled(int across, int down) {
  return [=](jpeg_compress_struct& info) {
    info.comp_info[0].h_samp_factor = across;
    info.comp_info[0].v_samp_factor = down;
  };
}

inline void progressive(jpeg_compress_struct& info) { jpeg_simple_progression(&info); }

inline ByteVector grey_jpeg(int height, int width) {
  ByteVector grey;
  for (int i = 0; i < height * width; ++i) grey.push_back(static_cast<std::uint8_t>(i % width * 3 + i / width));
  return jpeg_bytes(height, width, JCS_GRAYSCALE, grey);
}

inline InputSpec input_of(int side, Resize resize, Filter filter = Filter::antialias) {
  InputSpec input;
  input.height = input.width = side - side / 8;
  input.resize_to = side;
  input.resize = resize;
  input.filter = filter;
  return input;
}

inline std::shared_ptr<const CodedPicture> coded(const ByteVector& bytes) {
  const auto layout = layout_for_device(bytes, examine_jpeg(bytes, {}), false);
  if (!layout) return nullptr;
  return std::make_shared<const CodedPicture>(CodedPicture{bytes, *layout});
}

// One picture through a Developer, as a batch of one.
inline ByteVector developed(const ByteVector& jpeg, const InputSpec& input,
                            const std::shared_ptr<PlaneDecoder>& decoder, i64* refused = nullptr) {
  const auto bytes = static_cast<std::size_t>(3 * input.resize_to * input.resize_to);
  std::vector<std::byte> host(bytes);
  const Use use(decoder->device());
  Tensor there({static_cast<i64>(bytes)}, DType::u8, decoder->device());
  Developer developer(decoder, input);
  const Event free = Context::current().compute().record();
  const i64 left = developer.develop(host.data(), bytes, bytes, {coded_slot(coded(jpeg), input)}, free, there.raw());
  if (refused) *refused = left;
  ByteVector result;
  for (const float v : there.floats()) result.push_back(static_cast<std::uint8_t>(v));
  return result;
}

struct Case {
  std::string name;
  ByteVector jpeg;
};

// All layouts a device is given, odd sides, tiny ones, every orientation.
inline std::vector<Case> plain_jpegs() {
  std::vector<Case> cases;
  for (const auto& [across, down] : {std::pair{1, 1}, {2, 1}, {2, 2}})
    for (const auto& [height, width] : {std::pair{113, 227}, {64, 96}, {31, 5}, {7, 4}, {3, 9}, {1, 1}, {90, 41}})
      cases.push_back({std::to_string(across) + "x" + std::to_string(down) + " " + std::to_string(height) + "x" +
                           std::to_string(width),
                       jpeg_bytes(computed_picture(height, width), sampled(across, down))});
  const ByteVector upright = jpeg_bytes(computed_picture(50, 77));
  for (int o = 1; o <= 8; ++o)
    cases.push_back({"orientation " + std::to_string(o), with_orientation(upright, o, o % 2)});
  cases.push_back({"grey", grey_jpeg(61, 40)});
  cases.push_back({"grey, turned", with_orientation(grey_jpeg(61, 40), 6, true)});
  cases.push_back({"restarts", jpeg_bytes(smooth_picture(80, 120), [](auto& info) { info.restart_interval = 3; })});
  return cases;
}

inline std::vector<InputSpec> inputs() {
  return {input_of(48, Resize::short_side), input_of(48, Resize::warp), input_of(130, Resize::short_side),
          input_of(24, Resize::short_side, Filter::bilinear), input_of(50, Resize::short_side)};
}

}  // namespace dactyl
