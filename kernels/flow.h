// Dense optical flow between frames, and its forms for networks and for people.
#pragma once

#include "kernels/ops.h"

namespace dactyl {

// TV-L1: Zach, Pock, Bischof, "A duality based approach for realtime TV-L1 optical flow" (2007), as written down by
// Pérez, Meinhardt-Llopis, Facciolo, "TV-L1 optical flow estimation" (IPOL 2013). The defaults compute what OpenCV's
// CUDA version computes, which I3D's authors used; `tvl1_cpu()` what its CPU version (optflow's DualTVL1) computes.
struct Tvl1Options {
  double tau = 0.25;        // time step of the dual variables
  double lambda = 0.15;     // weight of the data term, for brightness of 0 to 255
  double theta = 0.3;       // tightness of the coupling
  int scales = 5;           // levels of the pyramid; fewer once a side would fall below 16
  double scale_step = 0.8;  // each level's size relative to the one below, in (0, 1)
  int warps = 5;            // linearisations per level
  double epsilon = 0.01;    // a warp ends when the root mean square of the last change is at most this, in px; 0: never
  int iterations = 300;     // at most, per round
  int rounds = 1;           // per warp; each begins with the median filter
  int median = 0;           // 3 or 5: side of the median filter over u and v; 0: none
  // How frames and flows are read between pixels; here OpenCV's two versions differ.
  double cubic = -0.5;        // the bicubic kernel's slope at distance 1
  int subpixel = 0;           // positions are rounded to this fraction of a pixel; 0: not at all
  bool zero_outside = false;  // frames continue with 0 beyond their border; false: with the pixel at the border
  bool half_pixel = false;    // levels of the pyramid share their centre; false: their upper left pixel
  bool stop_every = false;    // the change is asked for after each iteration; false: every second, and as rarely as it
                              // can have fallen below epsilon if each iteration took off epsilon²
  bool wide_norm = false;     // the lengths of gradients of the flow are computed in double and rounded once
  Algorithm algorithm = Algorithm::automatic;  // reference: a loop over all pixels for each step, on either device
};
Tvl1Options tvl1_cpu();  // median 5, 10 rounds of 30 iterations, OpenCV's CPU sampling

// Dense flow from each first frame to its second: grey frames (N, H, W) f32 of 0…255 -> (N, H, W, 2) f32, u to the
// right, v down, in pixels: first(x, y) looks like second(x + u, y + v). Not recorded on the tape. Each pair stops on
// its own, on the device; pairs do not influence each other. Throws if shapes or types differ or an option is absurd.
Tensor flow_tvl1(const Tensor& from, const Tensor& to, const Tvl1Options& options = {});

// Flow as network input: (N, H, W, 2) f32 -> (N, H, W, C) f32.
enum class FlowEncoding {
  uv,   // 2 channels: both components cut off at ±bound, divided by it: −1 to 1
  uv0,  // 3 channels: the same and 0
  hsv,  // 3 channels, whole numbers 0 to 255: direction as hue, full saturation, length as brightness, stretched from
        // each frame's shortest to its longest vector; as RGB. What OpenCV's Farnebäck sample renders.
};
i64 channels_of(FlowEncoding);
Tensor flow_encode(const Tensor& flow, FlowEncoding encoding, double bound = 20);

// The same for clips, as a network takes it: (N, D, H, W, 2) f32 -> (N, D, H, W, C) of `dtype`, all in −1 … 1: of hsv
// byte / 127.5 − 1.
Tensor flow_input(const Tensor& flow, FlowEncoding encoding, double bound, DType dtype);

// For people: u8 RGB (N, H, W, 3), direction as hue, length as brightness, full from `longest` px on.
Tensor flow_picture(const Tensor& flow, double longest = 20);

}  // namespace dactyl
