// Where the two sides of a pooling window lie. Internal to the kernels.
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

  // Products of two 32-bit numbers are one instruction if neither has a sign, of 64-bit numbers several.
  HD static i64 place(int row, int pitch, int channel) {
    return static_cast<i64>(std::uint64_t{static_cast<Word>(row)} * static_cast<Word>(pitch)) + channel;
  }
  HD i64 x_at(int row, int channel) const { return place(row, x_pitch, channel); }
  HD i64 y_at(int row, int channel) const { return place(row, y_pitch, channel); }
  HD i64 dense_at(int row, int channel) const { return place(row, channels, channel); }

  HD void store(const Best<T>& best, int row, int channel, T* y, std::uint8_t* taps) const {
    best.store(y + y_at(row, channel), taps ? taps + dense_at(row, channel) : nullptr);
  }
  HD void load(Routed<T>& routed, int row, int channel, const T* dy, const std::uint8_t* taps) const {
    routed.load(dy + y_at(row, channel), taps + dense_at(row, channel));
  }
};

}  // namespace dactyl::fast
