// Dense optical flow by polynomial expansion: G. Farnebäck, "Two-Frame Motion Estimation Based on Polynomial
// Expansion", SCIA 2003.
#pragma once

#include "kernels/ops.h"

namespace dactyl {

// The numbers of OpenCV's calcOpticalFlowFarneback; as they stand, the defaults of its FarnebackOpticalFlow::create.
struct FarnebackOptions {
  double scale = 0.5;       // from one level of the pyramid to the next coarser one, in (0, 1)
  int levels = 5;           // coarser levels at most; none has a side below 32 pixels
  int window = 13;          // side of the square over which the motion is taken to be constant, 1 to 127 pixels
  int iterations = 10;      // per level
  int poly_n = 5;           // polynomials are fitted to (2·poly_n + 1)² pixels, 1 to 15 …
  double poly_sigma = 1.1;  // … weighted by a Gaussian of this width in pixels; 0: 0.3·poly_n
  bool gaussian = false;    // weights inside the window: Gaussian of width 0.3·⌊window/2⌋ pixels instead of equal
  Algorithm algorithm = Algorithm::automatic;  // reference: the plain bodies instead of fast loops and kernels
};

// The call in OpenCV's sample program: (0.5, 3, 15, 3, 5, 1.2, 0).
FarnebackOptions farneback_of_sample();

// The motion from each frame `from` to its frame `to`, grey values f32 of 0…255, both (N, H, W), dense, on one device:
// f32 (N, H, W, 2) in pixels, u to the right, v down; from(y, x) ≈ to(y + v, x + u). A pair's flow does not depend on
// the others in the batch. Throws Exit::usage for options out of range. Not recorded on the tape; never waits for the
// GPU.
Tensor flow_farneback(const Tensor& from, const Tensor& to, const FarnebackOptions& options = {});

}  // namespace dactyl
