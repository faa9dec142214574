// The packed store's index and its place in the file. Internal to writing and reading packs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/data/regular_file.h"

namespace dactyl {

struct PackedSource {
  std::string path;
  i64 bytes = 0;
  std::uint32_t crc = 0;
};

struct PackedSample {
  std::string name;
  int label = 0, frames = 0, height = 0, width = 0, channels = 3;
  i64 offset = 0;  // of its frames
  double duration = 0, fps = 0;
  std::uint32_t crc = 0;  // of its times and checksums
  std::vector<PackedSource> sources;

  i64 frame_bytes() const { return i64{channels} * height * width; }
  i64 tail_bytes() const { return i64{12} * frames; }  // times and checksums
};

struct PackIndex {
  int side = 0, channels = 3;
  std::string flow;  // how it was computed; empty: colours
  std::vector<std::string> labels;
  std::vector<PackedSample> samples;
};

inline constexpr char pack_mark[16] = {'d', 'a', 'c', 't', 'y', 'l', '.', 'p', 'a', 'c', 'k', '\n', 1, 0, 0, 0};
std::string packed_end(const PackIndex&, i64 offset);  // the index and the 40 bytes after it, `offset` where it starts
// Throws Exit::data without the path: what is damaged, where.
PackIndex read_pack_index(const RegularFile& file);
PackedSource examine_source(const std::string& path);  // reads it whole

}  // namespace dactyl
