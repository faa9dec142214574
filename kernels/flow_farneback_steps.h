// The steps of Farnebäck's flow over a batch of pairs, in the order of one level. Internal to the kernels.
//
// Shapes: frames (N, H, W); a level's images (N, h, w), polynomials and normal equations (N, 5, h, w), that is one
// plane per coefficient, so that neighbouring pixels lie together; flows (N, h, w, 2). All f32 and dense, on one
// device.
#pragma once

#include "engine/tensor.h"
#include "kernels/flow_farneback_maths.h"

namespace dactyl::farneback {

Smoothing smoothing_for(double scale);  // of frames that will be shrunk by `scale`
Fit fit_for(int n, double sigma);       // of poly_n and poly_sigma
WindowSum window_for(int side, bool gaussian);

// The rows of a window's column sums are cut into strips of this many; each begins with a sum of its own, whatever the
// number of threads.
inline constexpr i64 strip = 32;

void shrink(const Tensor& frames, const Smoothing&, const Tensor& image, bool reference);  // smooth, then resize
void expand(const Tensor& image, const Fit&, const Tensor& polynomials, bool reference);
void enlarge(const Tensor& flow, double factor, const Tensor& larger);  // resize and multiply
// The second frame's polynomials in the form that `equations` reads them where the flow leads: as they are, or, for the
// CPU's loops, as records of 8 numbers per pixel (pixels and some room, 8): a pixel's coefficients arrive with one
// load.
Tensor ready_to_move(const Tensor& second, bool reference);
void equations(const Tensor& first, const Tensor& ready_second, const Tensor& flow, const Tensor& m);
void solve_windows(const Tensor& m, const WindowSum&, const Tensor& flow, bool reference);

}  // namespace dactyl::farneback
