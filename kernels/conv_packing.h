// A convolution over few channels (a stem: 3 of colour, 2 of flow) as one over more channels and fewer taps, which the
// matrix units like: neighbouring numbers of x become channels. Internal to the kernels.
#pragma once

#include <vector>

#include "kernels/conv_problem.h"

namespace dactyl {

// Along one extent: packed place j holds x[j·step − low + a] for a < block, and y[o] is the sum over q < taps of packed
// place o·stride + q. Tap k of the original kernel is (q, a) with q·step + a = k, the one with the largest q below
// taps.
struct PackedAxis {
  i64 block = 1, step = 1, taps = 1, stride = 1;

  HD i64 tap(i64 k) const { return k / step < taps ? k / step : taps - 1; }
  HD i64 within(i64 k) const { return k - tap(k) * step; }
  bool operator==(const PackedAxis&) const = default;
};

struct Packing {
  std::array<PackedAxis, 3> axis;
  bool operator==(const Packing&) const = default;
};

// The ways to pack one extent with a kernel k and stride s.
PackedAxis as_it_is(i64 k, i64 s);       // only padded
PackedAxis by_the_stride(i64 k, i64 s);  // space to depth: s neighbours, ⌈k/s⌉ taps
PackedAxis by_odd_taps(i64 k, i64 s);    // the same with an odd number of taps, if need be by wider blocks
PackedAxis whole(i64 k, i64 s);          // the window becomes channels, one tap

// What may be worth a try for this problem, by measurements and for lack of a rule: none where there are more than 4
// channels, groups, a single tap, or for the data gradient (nobody asks for the gradient of a picture).
std::vector<Packing> packings(const ConvProblem& problem);
std::string to_text(const Packing&);  // "packed 1/1 2/2 7/2": block/step along depth, height, width

// The problem of the packed tensors: no padding, channels rounded up to a multiple of 8, y as before.
ConvProblem packed_problem(const ConvProblem& problem, const Packing& packing);

// The packed tensors are of packed_problem's sizes, on the current device. Each of these is one pass over memory.
void pack_input(const ConvProblem& problem, const Packing& packing, const Tensor& x, const Tensor& packed);
void pack_weights(const ConvProblem& problem, const Packing& packing, const Tensor& w, const Tensor& packed);
void unpack_weights(const ConvProblem& problem, const Packing& packing, const Tensor& packed, const Tensor& w);

}  // namespace dactyl
