// The packed store: clips decoded once, resized, or their flow computed once; uncompressed, checksummed.
#pragma once

#include <string>
#include <vector>

#include "train/data/clip_source.h"

namespace dactyl {

// The file: 16 bytes of mark and version; per sample the frames (D, H, W, C), C 3 or of optical flow 2, then D times
// (f64) and D checksums of frames (CRC-32C); the index in JSON (labels; how flow was computed; per sample name, label,
// place, sizes, sources with size and checksum); 40 bytes that say where the index is. Little-endian. Any process can
// read any sample, so ranks share one file: what a rank takes is the loader's business.

struct PackOptions {
  int side = 256;   // short side of the frames; flow keeps its own
  int threads = 0;  // that decode; 0: one per core, at most 16
};

struct PackReport {
  i64 samples = 0, frames = 0, bytes = 0;
  std::vector<std::string> bad;  // reasons, in the order of the samples, which are left out
};

// Decodes every sample of `source` whole and writes it, all or nothing, with a progress bar. The same samples give the
// same bytes for any number of threads. At most `threads` samples are in memory. Throws Exit::data where the file
// cannot be written or no sample is good.
PackReport write_pack(const std::string& path, const ClipSource& source, const PackOptions& = {});

bool is_pack(const std::string& path);

// clip(i, times) gives the same bytes as with_short_side(the packed source, side). What is read is checked against its
// checksum; Exit::data names the sample. The index is checked whole on opening, the frames' places against the size.
std::unique_ptr<ClipSource> open_pack(const std::string& path, const std::vector<std::string>& known = {});
// Compares the sources with what they were when packed, by size and checksum; one line per file that is gone or
// changed. Relative names are looked up from here.
std::vector<std::string> changed_sources(const std::string& path);

}  // namespace dactyl
