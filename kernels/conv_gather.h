// Writes the numbers that windows see side by side: the columns of a convolution as matrix product, and the packed
// input of a stem. Internal to the kernels.
#pragma once

#include <cstdlib>

#include "kernels/conv_gather_body.h"

namespace dactyl {

inline i64 up_to_eight(i64 n) { return (n + 7) / 8 * 8; }

// Whether the numbers are small enough for gather(): `batch` as in the result.
inline bool can_gather(const Gather& g, i64 batch) {
  return batch * g.places() < (i64{1} << 31) && g.width < (1 << 24);
}

// Whether the taps along the width see runs of eight numbers or more, and places fit into 32 bits.
inline bool in_runs(const Gather& g, i64 batch) {
  for (const GatherAxis& a : g.axis)
    if (a.sign != 1 || a.stride != 1) return false;
  const GatherAxis& w = g.axis[2];
  const i64 reach = i64{w.places} * w.step + w.block + std::abs(i64{w.offset}), most = i64{1} << 30;
  return g.pitch == g.channels && i64{w.block} * g.channels >= 8 && g.first == 0 &&
         batch * g.axis[0].source * g.axis[1].source < most && std::max(reach, i64{w.source}) * g.channels < most;
}

// Rows [first, first + rows) of the result. `from` and `to` lie on the current device, `to` 16-byte aligned.
template <class T>
void gather(Device device, const Gather& g, i64 first, i64 rows, const T* from, T* to) {
  const i64 eights = g.width / 8, at_once = std::max<i64>(1, ((i64{1} << 31) - 1) / eights);
  const bool aligned = reinterpret_cast<std::uintptr_t>(from) % alignof(detail::Eight<T>) == 0;
  const bool whole = aligned && g.channels % 8 == 0 && g.pitch % 8 == 0 && g.first % 8 == 0;
  const bool runs = !whole && in_runs(g, (first + rows) / g.places() + 1);
  for (i64 done = 0; done < rows; done += at_once)
    each(
        device, std::min(at_once, rows - done) * eights,
        detail::GatherBody<T>{g, whole, runs, first + done, Divisor(eights), Divisor(i64{g.axis[2].block} * g.channels),
                              Divisor(g.channels), Divisor(g.axis[1].block), Divisor(g.axis[2].block),
                              Divisor(g.axis[0].places), Divisor(g.axis[1].places), Divisor(g.axis[2].places), from,
                              reinterpret_cast<detail::Eight<T>*>(to + done * g.width)});
}

}  // namespace dactyl
