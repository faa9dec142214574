// Where the two sides of a pooling window lie. Internal to fast/max_pool.cu.
#pragma once

#include "kernels/fast/routed.h"
#include "kernels/fast/tiles.h"
#include "kernels/geometry.h"

namespace dactyl::fast {

// Where x (or dx) and y (or dy) of a window lie.
template <class T>
struct Sides {
  int in[3], out[3], low[3], channels, x_pitch, y_pitch;

  Sides(const Geometry& g, i64 pitch_of_x, i64 pitch_of_y)
      : channels(static_cast<int>(g.channels)),
        x_pitch(static_cast<int>(pitch_of_x)),
        y_pitch(static_cast<int>(pitch_of_y)) {
    for (int i = 0; i < 3; ++i) {
      in[i] = static_cast<int>(g.in[i]);
      out[i] = static_cast<int>(g.out[i]);
      low[i] = static_cast<int>(g.low[i]);
    }
  }
  HD static bool within(int i, int extent) { return static_cast<unsigned>(i) < static_cast<unsigned>(extent); }
  HD int row_in(int n, int d, int h, int w) const { return ((n * in[0] + d) * in[1] + h) * in[2] + w; }
  HD int row_out(int n, int d, int h, int w) const { return ((n * out[0] + d) * out[1] + h) * out[2] + w; }
  HD static int channel(const Spot& s) { return s.pack * Pack<T>::size; }

  // Products of two 32-bit numbers are one instruction, of 64-bit numbers several.
  HD i64 x_at(int row, int channel) const { return i64{row} * x_pitch + channel; }
  HD i64 y_at(int row, int channel) const { return i64{row} * y_pitch + channel; }

  HD void store(const Best<T>& best, int row, int channel, T* y, std::uint8_t* taps) const {
    best.store(y + y_at(row, channel), taps ? taps + i64{row} * channels + channel : nullptr);
  }
  HD void load(Routed<T>& routed, int row, int channel, const T* dy, const std::uint8_t* taps) const {
    routed.load(dy + y_at(row, channel), taps + i64{row} * channels + channel);
  }
};

}  // namespace dactyl::fast
