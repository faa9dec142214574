// Planes of a JPEG by libjpeg-turbo: what a device's decoder leaves, exactly as the host's decoding has them.
#pragma once

#include <cstring>

#include "tests/train/jpeg_bytes.h"
#include "train/data/develop.h"

namespace dactyl {

// Row by row of blocks into planes whose rows and columns are whole blocks.
inline void decode_planes(const ByteVector& jpeg, const JpegPlanes& to) {
  jpeg_decompress_struct info;
  jpeg_error_mgr errors;
  info.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, jpeg.data(), jpeg.size());
  jpeg_read_header(&info, TRUE);
  info.raw_data_out = TRUE;
  info.out_color_space = info.jpeg_color_space;
  jpeg_start_decompress(&info);
  std::vector<ByteVector> rows[3];
  while (info.output_scanline < info.output_height) {
    const int top = static_cast<int>(info.output_scanline);
    JSAMPROW lines[3][32];
    JSAMPARRAY planes[3];
    for (int c = 0; c < info.num_components; ++c) {
      const auto& part = info.comp_info[c];
      rows[c].assign(static_cast<std::size_t>(part.v_samp_factor * DCTSIZE),
                     ByteVector(part.width_in_blocks * DCTSIZE + 64));
      for (std::size_t i = 0; i < rows[c].size(); ++i) lines[c][i] = rows[c][i].data();
      planes[c] = lines[c];
    }
    jpeg_read_raw_data(&info, planes, static_cast<JDIMENSION>(info.max_v_samp_factor * DCTSIZE));
    for (int c = 0; c < info.num_components; ++c) {
      const auto& part = info.comp_info[c];
      std::uint8_t* plane = c == 0 ? to.luma : c == 1 ? to.blue : to.red;
      const int pitch = c ? to.chroma_pitch : to.luma_pitch;
      const int first = top / info.max_v_samp_factor * part.v_samp_factor;
      for (int i = 0; i < static_cast<int>(rows[c].size()); ++i)
        if (first + i < static_cast<int>(part.downsampled_height))
          std::memcpy(plane + (first + i) * pitch, rows[c][static_cast<std::size_t>(i)].data(), part.downsampled_width);
    }
  }
  jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
}

// Refuses pictures of a width that is in `refused`.
class HostPlanes : public PlaneDecoder {
 public:
  Device device() const override { return Device::cpu(); }
  std::string name() const override { return "libjpeg"; }
  std::vector<bool> decode(const std::vector<PlaneOrder>& orders) override {
    std::vector<bool> good;
    for (const auto& [picture, planes] : orders) {
      good.push_back(planes.width != refused_width);
      if (good.back()) decode_planes(picture->bytes, planes), ++decoded;
    }
    return good;
  }
  int refused_width = 0, decoded = 0;
};

}  // namespace dactyl
