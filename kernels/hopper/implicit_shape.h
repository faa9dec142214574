// A convolution with stride 1 as a product of matrices: pixels × outputs, summed over taps and channels. Internal to
// the kernels.
#pragma once

#include <algorithm>

#include "kernels/conv_problem.h"
#include "kernels/divisor.h"

namespace dactyl::hopper {

constexpr int step_channels = 64;  // of one tap: 128 bytes of a pixel, a step of the sums
constexpr int unit_channels = 16;  // what the matrix unit takes at a time

struct Pixel {
  int n, d, h, w;
};
struct Taps {
  int first, end;
};
struct Steps {
  int first, count;
};

// The pass as a forward one: the data gradient takes dy for its input and a filter whose channels are exchanged.
//
// Outputs have places, row after row. With `rows`, a row is as long as the input's with its padding on one side, the
// larger one. Then what the taps along the width see of a run of places is one run of x, at their distance from its
// first: a tap that looks beyond a row's end should see padding, and finds the next row's. So it is brought once for
// all of them; the price are places without an output, of which nobody asks what their taps see.
struct ImplicitShape {
  int batch, in[3], out[3], window[3], low[3];  // depth, height, width; low: padding before the first
  int groups, ins, outs;                        // channels of a group, which are a range of the pixels'
  int shared;                                   // taps along the width that share a run: all or one
  int across;                                   // runs along the width
  int row, frame, places;                       // a row's places, a frame's, all
  int steps;                                    // of a tap
  int last_units;                               // of a tap's last step, 1 to 4
  i64 from_pitch, to_pitch;                     // numbers from a pixel to the next
  // Instead of dividing: one thread brings all that is multiplied, and would wait for one quotient after the other.
  Divisor by_row, by_frame, by_depth, by_steps, by_across, by_height;

  ImplicitShape(const ConvProblem& p, bool rows) : batch(static_cast<int>(p.batch)) {
    const bool forward = p.pass == Pass::forward;
    for (std::size_t i = 0; i < 3; ++i) {
      in[i] = static_cast<int>(forward ? p.in[i] : p.out[i]);
      out[i] = static_cast<int>(forward ? p.out[i] : p.in[i]);
      window[i] = static_cast<int>(p.kernel[i]);
      low[i] = static_cast<int>(forward ? p.low[i] : p.kernel[i] - 1 - p.low[i]);
    }
    groups = static_cast<int>(p.groups);
    const i64 of_x = p.ins, of_y = p.outs / p.groups;
    ins = static_cast<int>(forward ? of_x : of_y);
    outs = static_cast<int>(forward ? of_y : of_x);
    from_pitch = forward ? of_x * groups : p.y_pitch();
    to_pitch = forward ? p.y_pitch() : of_x * groups;
    shared = rows ? window[2] : 1;
    across = window[2] / shared;
    row = rows ? in[2] + std::max(low[2], high(2)) : out[2];
    frame = out[1] * row;
    places = batch * out[0] * frame;
    steps = (ins + step_channels - 1) / step_channels;
    last_units = (ins - (steps - 1) * step_channels + unit_channels - 1) / unit_channels;
    by_row = Divisor(row), by_frame = Divisor(frame), by_depth = Divisor(out[0]);
    by_steps = Divisor(steps), by_across = Divisor(across), by_height = Divisor(window[1]);
  }

  HD int high(int i) const { return out[i] - in[i] + window[i] - 1 - low[i]; }  // padding behind the last
  HD int taps() const { return window[0] * window[1] * window[2]; }
  HD int units(int step) const { return step + 1 < steps ? step_channels / unit_channels : last_units; }
  HD Pixel pixel(int place) const {  // w may be beyond the row
    int rest, d, w;
    const int clip_frame = quotient(by_frame, place, rest), n = quotient(by_depth, clip_frame, d);
    const int h = quotient(by_row, rest, w);
    return {n, d, h, w};
  }
  HD i64 output(int place) const {  // which pixel of y; -1: none
    int w;
    const int h = quotient(by_row, place, w);  // of all frames
    return place < places && w < out[2] ? i64{h} * out[2] + w : -1;
  }
  // The taps along the depth that a run of places needs: of a single frame, those that see one; else all.
  HD Taps depth_taps(int first, int count) const {
    const int last = first + count < places ? first + count - 1 : places - 1;
    int rest, d;
    const int frame_of_first = quotient(by_frame, first, rest);
    if (last - first + rest >= frame) return {0, window[0]};  // another frame's as well
    quotient(by_depth, frame_of_first, d);
    const int begin = low[0] - d, end = begin + in[0];  // of those that a longer window had
    return {begin > 0 ? begin : 0, end < window[0] ? end : window[0]};
  }
  // The steps of a tile's sums that one of so many parts has: at least one where there are at most least_steps() parts.
  HD Steps part(int first, int count, int part, const Divisor& parts) const {
    const int all = runs(first, count) * steps, begin = quotient(parts, all * part);
    return {begin, quotient(parts, all * (part + 1)) - begin};
  }
  HD int least_steps() const { return window[1] * across * steps; }
  // How many runs a tile needs of each step's channels.
  HD int runs(int first, int count) const {
    const Taps depth = depth_taps(first, count);
    return (depth.end - depth.first) * window[1] * across;
  }
};

// Which number of a filter w (outs, taps, ins) lies at a place of the data gradient's (ins, taps, outs): its channels
// exchanged, its taps backwards. Groups follow each other in both; outs and ins are those of one.
HD inline i64 exchanged(i64 place, i64 outs, i64 taps, i64 ins) {
  const i64 out = place % outs, tap = place / outs % taps, row = place / (outs * taps);
  return ((row / ins * outs + out) * taps + taps - 1 - tap) * ins + row % ins;
}

}  // namespace dactyl::hopper
