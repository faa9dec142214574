// What one thread of a gather writes. Internal to the kernels.
#pragma once

#include "engine/each.h"
#include "kernels/conv_gather_run.h"
#include "kernels/divisor.h"

namespace dactyl {

// Along one spatial extent: windows at `places` places see `block` numbers each, of `source` that there are.
struct GatherAxis {
  int source = 1, places = 1, block = 1;
  int step = 1, offset = 0, sign = 1, stride = 1;

  // Which number tap a of window j sees where neither sign nor stride matter, inside or not.
  HD int ahead(int j, int a) const { return j * step + offset + a; }
  // The same in general: (j·step + offset + sign·a) / stride, −1 outside and between strides.
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
struct GatherBody {
  Gather g;
  bool whole;  // eights of the result are eights of the source
  bool runs;   // the taps along the width are a run of eight numbers or more
  i64 first_row;
  Divisor eights, run, channels, block_h, block_w, places_d, places_h, places_w;
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
    int k, place[3];
    const std::uint32_t row = static_cast<std::uint32_t>(first_row) + eights.split(static_cast<std::uint32_t>(i), k);
    std::uint32_t n = places_w.split(row, place[2]);
    n = places_h.split(n, place[1]);
    n = places_d.split(n, place[0]);
    const int batch = static_cast<int>(n);
    to[i] = runs ? of_runs(batch, place, 8 * k) : of_taps(batch, place, 8 * k);
  }

  // Eight numbers of a run, or of its end and the next one's beginning: asked for at once. `at`: the first one's place
  // in the result's row.
  HD Eight<T> of_runs(int n, const int (&place)[3], int at) const {
    int begin, h;
    const int d = static_cast<int>(block_h.split(run.split(static_cast<std::uint32_t>(at), begin), h));
    const int end = static_cast<int>(run.by) - begin, left = g.axis[2].ahead(place[2], 0) * g.channels;
    const bool last = h + 1 == g.axis[1].block;
    return of_two(from, of_line(n, place, d, h, left + begin, 0, end),
                  of_line(n, place, last ? d + 1 : d, last ? 0 : h + 1, left - end, end, 8), end);
  }
  // Numbers [first, last) of eight that begin at number `left` of the line that taps d and h see.
  HD Run of_line(int n, const int (&place)[3], int d, int h, int left, int first, int last) const {
    const int length = g.axis[2].source * g.channels, z = g.axis[0].ahead(place[0], d),
              y = g.axis[1].ahead(place[1], h);
    const bool inside = d < g.axis[0].block && z >= 0 && z < g.axis[0].source && y >= 0 && y < g.axis[1].source;
    const int line = inside ? (n * g.axis[0].source + z) * g.axis[1].source + y : 0;
    const int until = length - left < 8 ? length - left : 8;
    return {i64{line} * length + left, first > -left ? first : -left, !inside ? 0 : last < until ? last : until};
  }

  // Eight numbers of one tap, or of several.
  HD Eight<T> of_taps(int n, const int (&place)[3], int first) const {
    int c, tap[3];
    std::uint32_t t = channels.split(static_cast<std::uint32_t>(first), c);
    t = block_w.split(t, tap[2]);
    tap[0] = static_cast<int>(block_h.split(t, tap[1]));
    const T* at = source(n, place, tap);
    return whole && at ? *reinterpret_cast<const Eight<T>*>(at + c) : mixed(n, place, tap, at, c);
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
