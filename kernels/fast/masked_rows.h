// One thread's rows of the gradient of a bias and of relu behind it: what relu lets through, and its sum per channel.
#pragma once

#include "engine/pack.h"
#include "kernels/fast/slices.h"
#include "kernels/rows.h"

namespace dactyl::fast {

template <class T>
struct MaskedRows {
  static constexpr int size = Pack<T>::size;
  const T *dy, *y = nullptr;
  T* dz = nullptr;  // dense
  i64 dy_pitch, y_pitch = 0, channels;

  explicit MaskedRows(const Tensor& dy_) : dy(dy_.data<T>()), dy_pitch(dy_.pitch()), channels(dy_.shape().channels()) {}
  MaskedRows(const Tensor& dy_, const Tensor& y_, const Tensor& dz_) : MaskedRows(dy_) {
    y = y_.data<T>();
    dz = dz_.data<T>();
    y_pitch = y_.pitch();
  }

  struct Both {
    Pack<T> dy, y;
  };
  HD static void add(const Pack<T>& pack, float (&sums)[size]) {
    for (int i = 0; i < size; ++i) sums[i] += float(pack.v[i]);
  }

  // Adds the rows of `part`, which are some, to the sums of its pack's channels: of dy, or of dz, which is written.
  HD void sum(const SlicePart& part, float (&sums)[size]) const {
    const T* from = dy + i64{part.pack} * size;
    walk(
        part.row, part.end, part.step, [&](int row) { return Pack<T>::load(from + row * dy_pitch); },
        [&](int, const Pack<T>& at) { add(at, sums); });
  }
  HD void mask_and_sum(const SlicePart& part, float (&sums)[size]) const {
    const i64 c = i64{part.pack} * size;
    walk(
        part.row, part.end, part.step,
        [&](int row) {
          return Both{Pack<T>::load(dy + row * dy_pitch + c), Pack<T>::load(y + row * y_pitch + c)};
        },
        [&](int row, const Both& at) {
          const Pack<T> through = relu_masked(at.dy, at.y);
          through.store(dz + row * channels + c);
          add(through, sums);
        });
  }
};

}  // namespace dactyl::fast
