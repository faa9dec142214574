// Writes the numbers that windows see side by side: the columns of a convolution as matrix product, and the packed
// input of a stem. Internal to the kernels.
#pragma once

#include "kernels/conv_gather_body.h"

namespace dactyl {

inline i64 up_to_eight(i64 n) { return (n + 7) / 8 * 8; }

// Whether the numbers are small enough for gather(): `batch` as in the result.
inline bool can_gather(const Gather& g, i64 batch) {
  return batch * g.places() < (i64{1} << 31) && g.width < (1 << 24);
}

// Rows [first, first + rows) of the result. `from` and `to` lie on the current device, `to` 16-byte aligned.
template <class T>
void gather(Device device, const Gather& g, i64 first, i64 rows, const T* from, T* to) {
  const i64 eights = g.width / 8, at_once = std::max<i64>(1, ((i64{1} << 31) - 1) / eights);
  const bool aligned = reinterpret_cast<std::uintptr_t>(from) % alignof(detail::Eight<T>) == 0;
  const bool whole = aligned && g.channels % 8 == 0 && g.pitch % 8 == 0 && g.first % 8 == 0;
  const GatherAxis& w = g.axis[2];
  const bool neighbours = g.pitch == g.channels && w.sign == 1 && w.stride == 1 && w.block * g.channels >= 8;
  for (i64 done = 0; done < rows; done += at_once)
    each(device, std::min(at_once, rows - done) * eights,
         detail::GatherBody<T>{g, whole, neighbours, first + done, Divisor(eights), Divisor(g.channels),
                               Divisor(g.axis[1].block), Divisor(g.axis[2].block), Divisor(g.axis[0].places),
                               Divisor(g.axis[1].places), Divisor(g.axis[2].places), from,
                               reinterpret_cast<detail::Eight<T>*>(to + done * g.width)});
}

}  // namespace dactyl
