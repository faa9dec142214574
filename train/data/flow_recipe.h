// How optical flow was computed, as a text that stores and weights carry with them.
#pragma once

#include <string>

#include "kernels/flow.h"

namespace dactyl {

// Frames are resized to a short side of `side` pixels (antialias), made grey (BT.601), and each one's motion to the
// next frame of its video is computed; the last frame's is that of the one before it. A component becomes the byte
// 127.5 + 127.5 · pixels / bound, cut off at ±bound.
struct FlowRecipe {
  // tvl1: as OpenCV's CUDA version. tvl1-cpu: as its CPU version. farneback: OpenCV's default numbers.
  // farneback-sample: those of its sample program.
  std::string algorithm = "tvl1";
  int side = 256;     // vectors are in pixels of frames of this size
  double bound = 20;  // pixels
};

// Everything that changes the bytes: "tvl1 side=256 … tau=0.25 lambda=0.15 …". Usage error for an unknown algorithm or
// absurd numbers.
std::string to_text(const FlowRecipe&);
// The recipe behind a text; Exit::model_file where this version would compute something else under its name.
FlowRecipe flow_recipe(const std::string& text);
// What one text says and the other does not: "tvl1 side=64 tau=0.25" against "tvl1 side=256 tau=0.25" is "side=64".
std::string difference(const std::string& text, const std::string& other);

// f32 (N, H, W) of 0…255 twice -> (N, H, W, 2) in pixels, on the device of the frames.
Tensor compute_flow(const FlowRecipe&, const Tensor& from, const Tensor& to);

// "uv", "uv0", "hsv"; usage error for another word.
FlowEncoding flow_encoding(const std::string& text);

}  // namespace dactyl
