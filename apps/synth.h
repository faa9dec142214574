// What the kinds of built-in data share on the command line.
#pragma once

#include <string>

#include "apps/cli.h"

namespace dactyl {

struct SynthOptions {
  std::string kind = "letters", out, sheet;
  int classes = 0, per_class = 0, size = 0, frames = 40;  // 0: as the kind has it
  std::uint64_t seed = 1;
  bool png = false, png_frames = false, unbalanced = false;
};

// Each fills the folder `out` with samples and index.csv.
void synth_pictures(const SynthOptions& options);  // letters, or invented shapes
void synth_words(const SynthOptions& options);

// Samples go into an empty folder, or into one that this very command began to fill: a hidden file says so.
void claim(const SynthOptions& options);

std::string padded(int n, int digits);  // with zeros in front

}  // namespace dactyl
