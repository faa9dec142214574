// What one thread of a gather writes. Internal to the kernels.
#pragma once

#include "engine/each.h"
#include "kernels/divisor.h"

namespace dactyl {

// Along one spatial extent: windows at `places` places see `block` numbers each, of `source` that there are.
struct GatherAxis {
  int source = 1, places = 1, block = 1;
  int step = 1, offset = 0, sign = 1, stride = 1;

  // Which number tap a of window j sees: (j·step + offset + sign·a) / stride, −1 outside and between strides.
  HD int at(int j, int a) const {
    const int t = j * step + offset + sign * a;
    if (t < 0 || (stride != 1 && t % stride != 0)) return -1;
    const int i = stride == 1 ? t : t / stride;
    return i < source ? i : -1;
  }
};

// to (batch, places…, width) from (batch, source…, pitch): a row of the result is block[0] × block[1] × block[2] source
// rows of `channels` numbers each, from number `first` on, then zeros up to `width`, a multiple of 8. Zeros outside.
struct Gather {
  GatherAxis axis[3];
  int channels = 1, pitch = 1, first = 0, width = 8;

  i64 places() const { return i64{axis[0].places} * axis[1].places * axis[2].places; }
  int taps() const { return axis[0].block * axis[1].block * axis[2].block; }
};

namespace detail {

template <class T>
struct alignas(sizeof(T) * 8 < 16 ? sizeof(T) * 8 : 16) Eight {
  T v[8];
};

template <class T>
struct GatherBody {
  Gather g;
  bool whole;       // eights of the result are eights of the source
  bool neighbours;  // the taps along the width, where they are all there, are a run of eight numbers or more
  i64 first_row;
  Divisor eights, channels, block_h, block_w, places_d, places_h, places_w;
  const T* from;
  Eight<T>* to;

  // Where the numbers of a tap begin; null outside the source and behind the last tap.
  HD const T* source(int n, const int (&place)[3], const int (&tap)[3]) const {
    const int d = g.axis[0].at(place[0], tap[0]), h = g.axis[1].at(place[1], tap[1]),
              w = g.axis[2].at(place[2], tap[2]);
    if (d < 0 || h < 0 || w < 0 || tap[0] >= g.axis[0].block) return nullptr;
    const i64 row = ((i64{n} * g.axis[0].source + d) * g.axis[1].source + h) * g.axis[2].source + w;
    return from + row * g.pitch + g.first;
  }
  HD void next(int (&tap)[3]) const {
    if (++tap[2] < g.axis[2].block) return;
    tap[2] = 0;
    if (++tap[1] < g.axis[1].block) return;
    tap[1] = 0;
    ++tap[0];
  }
  // The i-th eight numbers of the result from row first_row on.
  HD void operator()(i64 i) const {
    int k, c, place[3], tap[3];
    const std::uint32_t row = static_cast<std::uint32_t>(first_row) + eights.split(static_cast<std::uint32_t>(i), k);
    std::uint32_t n = places_w.split(row, place[2]);
    n = places_h.split(n, place[1]);
    n = places_d.split(n, place[0]);
    std::uint32_t t = channels.split(static_cast<std::uint32_t>(k) * 8, c);
    t = block_w.split(t, tap[2]);
    tap[0] = static_cast<int>(block_h.split(t, tap[1]));
    const T* at = source(static_cast<int>(n), place, tap);
    if (whole && at)
      to[i] = *reinterpret_cast<const Eight<T>*>(at + c);
    else if (neighbours && g.axis[2].at(place[2], 0) >= 0 && g.axis[2].at(place[2], g.axis[2].block - 1) >= 0)
      to[i] = of_runs(static_cast<int>(n), place, tap, c);
    else
      to[i] = mixed(static_cast<int>(n), place, tap, at, c);
  }

  // Eight numbers of a run, or of its end and the next one's beginning: asked for at once.
  HD Eight<T> of_runs(int n, const int (&place)[3], const int (&tap)[3], int c) const {
    const int begin = tap[2] * g.channels + c, rest = g.axis[2].block * g.channels - begin;
    const bool last_row = tap[1] + 1 == g.axis[1].block;
    const int here[3] = {tap[0], tap[1], 0}, next[3] = {tap[0] + last_row, last_row ? 0 : tap[1] + 1, 0};
    const T *run = source(n, place, here), *behind = source(n, place, next);
    Eight<T> y;
    for (int e = 0; e < 8; ++e) {
      const T* from_run = e < rest ? run : behind;
      y.v[e] = from_run ? from_run[e < rest ? begin + e : e - rest] : T(compute_t<T>(0));
    }
    return y;
  }

  // Eight numbers of which each may be another tap's.
  HD Eight<T> mixed(int n, const int (&place)[3], int (&tap)[3], const T* at, int c) const {
    Eight<T> y;
    for (int e = 0; e < 8; ++e) {
      y.v[e] = at ? at[c] : T(compute_t<T>(0));
      if (++c < g.channels) continue;
      c = 0;
      next(tap);
      at = source(n, place, tap);
    }
    return y;
  }
};

}  // namespace detail

}  // namespace dactyl
