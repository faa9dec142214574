// A convolution with few results as a product of matrices: places × outputs, summed over packs of eight channels of all
// taps. Internal to the kernels.
#pragma once

#include "kernels/conv_problem.h"
#include "kernels/divisor.h"

namespace dactyl::hopper {

constexpr int step_packs = 8;  // of a sum: 128 bytes of a place, or of an output's weights
constexpr int tile_places = 64;

// Where a place's window begins: the sample, then depth, height and width, which may lie in the padding.
struct WindowAt {
  int sample, first[3];
};
// One of the packs that a sum goes through: a tap, and which of its packs of channels.
struct PackOfSum {
  int tap[3], pack;
};

struct FewPlacesShape {
  int in[3], out[3], window[3], stride[3], low[3];  // depth, height, width; low: padding before the first
  int groups, packs, outs;                          // of a group: packs of eight channels of x, outputs
  int places, sum;                                  // all; packs of a sum
  int y_pitch;                                      // numbers from a place of y to the next
  Divisor by_packs, by_window[3], by_out[3];        // instead of dividing, where all wait

  explicit FewPlacesShape(const ConvProblem& p)
      : groups(static_cast<int>(p.groups)),
        packs(static_cast<int>(p.ins / 8)),
        outs(static_cast<int>(p.outs / p.groups)),
        places(static_cast<int>(p.rows_out())),
        sum(static_cast<int>(p.taps()) * packs),
        y_pitch(static_cast<int>(p.y_pitch())),
        by_packs(packs) {
    for (std::size_t i = 0; i < 3; ++i) {
      in[i] = static_cast<int>(p.in[i]), out[i] = static_cast<int>(p.out[i]);
      window[i] = static_cast<int>(p.kernel[i]), stride[i] = static_cast<int>(p.stride[i]);
      low[i] = static_cast<int>(p.low[i]);
      by_window[i] = Divisor(window[i]), by_out[i] = Divisor(out[i]);
    }
  }

  HD int steps() const { return (sum + step_packs - 1) / step_packs; }
  HD int x_pitch() const { return groups * packs * 8; }
  HD WindowAt window_of(int place) const {
    int at[3], rest = place;
    for (int i = 2; i >= 0; --i) rest = quotient(by_out[i], rest, at[i]);
    WindowAt w{rest, {}};
    for (int i = 0; i < 3; ++i) w.first[i] = at[i] * stride[i] - low[i];
    return w;
  }
  HD PackOfSum pack_of_sum(int k) const {
    PackOfSum p;
    int tap = quotient(by_packs, k, p.pack);
    for (int i = 2; i > 0; --i) tap = quotient(by_window[i], tap, p.tap[i]);
    p.tap[0] = tap;
    return p;
  }
  // Which pixel of x a window's tap sees; -1: padding.
  HD int pixel(const WindowAt& w, const PackOfSum& p) const {
    int at = w.sample;
    bool inside = true;
    for (int i = 0; i < 3; ++i) {
      const int place = w.first[i] + p.tap[i];
      inside = inside && place >= 0 && place < in[i];
      at = at * in[i] + place;
    }
    return inside ? at : -1;
  }
};

}  // namespace dactyl::hopper
